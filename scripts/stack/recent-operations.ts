import type { Known } from "../core/known.ts";
import { OperationError } from "../core/operation-error.ts";
import { withDocker } from "../docker/client.ts";
import type { OperationValues } from "../health/collector.ts";
import type { ServerOutput } from "../model/stack-outputs.ts";

/** Deploys that are returned. */
const most = 10;

/**
 * Reads the last deploys and restore drills of a stack, without starting anything. null: the stack makes no backups,
 * which record both.
 */
export async function readRecentOperations(server: ServerOutput): Promise<Known<{ value: OperationValues | null }>> {
  if (server.kind !== "docker" || server.backups === undefined) return { known: true, value: null };
  const { container, evidence } = server.backups;
  try {
    return await withDocker(server.dockerHost, async (docker) => {
      const { readDeploys } = await import("../backup/deploys.ts");
      const { readDrills } = await import("../backup/drill/record.ts");
      const deploys = (await readDeploys(docker, container)).slice(-most).reverse();
      const drills = await readDrills(docker, container, evidence?.container);
      const value = { deploys, lastDrill: drills?.last ?? null, lastPassedDrill: drills?.lastPassed ?? null };
      return { known: true, value };
    });
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { known: false, reason: error.message };
  }
}
