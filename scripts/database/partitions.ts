import type { Client } from "pg";
import type { PartitionSpec } from "./database-file.ts";

/** Names of the partitions that `ensurePartitions` would make now; changes nothing. */
export async function missingPartitions(client: Client, spec: PartitionSpec): Promise<string[]> {
  return call(client, spec, true);
}

/** Makes the partitions that are missing and answers their names; none when all are there. */
export async function ensurePartitions(client: Client, spec: PartitionSpec): Promise<string[]> {
  return call(client, spec, false);
}

async function call(client: Client, spec: PartitionSpec, dryRun: boolean): Promise<string[]> {
  const name = spec.function
    .split(".")
    .map((part) => client.escapeIdentifier(part))
    .join(".");
  const { rows } = await client.query<{ name: string }>(
    `select t.name from ${name}($1::integer, $2::boolean) as t(name) order by 1`,
    [spec.monthsAhead, dryRun],
  );
  return rows.map((row) => row.name);
}
