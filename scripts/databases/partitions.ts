import type { Client } from "pg";
import { withDatabaseSettings } from "../sql/file-session.ts";
import type { PartitionSpec } from "./database-file.ts";

/** Returns the names of the partitions that `ensurePartitions` would create now. Changes nothing. */
export async function missingPartitions(client: Client, spec: PartitionSpec): Promise<string[]> {
  return call(client, spec, true);
}

/** Creates the missing partitions and returns their names; empty if none are missing. */
export async function ensurePartitions(client: Client, spec: PartitionSpec): Promise<string[]> {
  return call(client, spec, false);
}

async function call(client: Client, spec: PartitionSpec, dryRun: boolean): Promise<string[]> {
  const name = spec.function
    .split(".")
    .map((part) => client.escapeIdentifier(part))
    .join(".");
  // The function is the user's: where a month begins depends on the database's time zone.
  const { rows } = await withDatabaseSettings(client, () =>
    client.query<{ name: string }>(`select t.name from ${name}($1::integer, $2::boolean) as t(name) order by 1`, [
      spec.monthsAhead,
      dryRun,
    ]),
  );
  return rows.map((row) => row.name);
}
