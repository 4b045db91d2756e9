import type { Connection } from "../connection/connection.ts";
import { readFileIfThere } from "../core/atomic-file.ts";
import { OperationError } from "../core/operation-error.ts";
import { historyFile, statementDaysOf } from "../health/history.ts";
import { healthContainer, healthPaths } from "../model/health-server.ts";
import type { ServerOutput } from "../model/stack-outputs.ts";
import type { Records } from "./check.ts";

/**
 * Reads the use of statements on past days: from the history of `pgw health serve` on this machine, else from that of
 * the stack's health container, which can be stopped.
 *
 * @param databases all databases of the stack in their order, or the one that is known. `pgw health serve` of a stack
 * names its history after the first.
 * @param server the stack's server; undefined if only a connection is known
 */
export async function recordedStatements(
  root: string,
  databases: readonly Connection[],
  server: ServerOutput | undefined,
): Promise<Records["statements"]> {
  for (const database of databases) {
    const days = statementDaysOf(readFileIfThere(historyFile(root, database)));
    if (days !== undefined) return { known: true, days };
  }
  if (server?.kind !== "docker")
    return { known: false, reason: "nothing was recorded: pgw health serve keeps the history" };
  const { dockerHost } = server;
  const container = healthContainer(server.container);
  const { withDocker } = await import("../docker/client.ts");
  const { readContainerFile } = await import("../docker/container-file.ts");
  try {
    const text = await withDocker(dockerHost, (docker) =>
      readContainerFile(docker.getContainer(container), healthPaths.history),
    );
    const days = statementDaysOf(text);
    if (days !== undefined) return { known: true, days };
    const reason = `nothing was recorded: neither pgw health serve nor the container ${container} (monitoring) keeps a history`;
    return { known: false, reason };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { known: false, reason: `the history in the container ${container} cannot be read: ${error.message}` };
  }
}
