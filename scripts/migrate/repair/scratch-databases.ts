import type { Client } from "pg";
import { listScratchDatabases } from "../../scratch/left-behind.ts";
import { withClient } from "../../target/client.ts";
import type { Connection } from "../../target/connection.ts";
import type { RepairFinding } from "./finding.ts";

/**
 * Scratch databases that a killed run left.
 *
 * @param admin who made them
 */
export async function findScratchDatabases(admin: Connection): Promise<RepairFinding[]> {
  const databases = await withClient(admin, listScratchDatabases, "pgroundwork repair");
  return databases
    .filter(({ sessions }) => sessions === 0)
    .map(({ name, made, stale }) => {
      const found = `the scratch database ${name}, made on ${made.toISOString()}, is there and nobody is in it`;
      const kind = "scratch-database" as const;
      if (!stale) return { kind, found: `${found}; a run may be about to use it, until it is an hour old` };
      const drop = async (client: Client) =>
        void (await client.query(`drop database if exists ${client.escapeIdentifier(name)}`));
      return { kind, found, action: "drop it", act: () => withClient(admin, drop, "pgroundwork repair") };
    });
}
