import type { Client } from "pg";
import { runFile, sqlFiles } from "./sql-files.ts";

/** Runs the database's volume generator like the benchmark: its files in order, each in a transaction. */
export async function runVolume(client: Client, name: string, rows: number): Promise<void> {
  await client.query("select set_config('pgroundwork.volume_rows', $1, false)", [String(rows)]);
  for (const path of await sqlFiles(name, "volume")) await runFile(client, path);
}

/**
 * Brings a volume to the state of a database in use. Refreshes materialized statistics if the database has any. Then
 * runs VACUUM ANALYZE for the planner's statistics and the visibility map, which index-only scans need. The generator
 * cannot do that in a transaction.
 */
export async function settleVolume(superuser: Client, migrator: Client): Promise<void> {
  const { rows } = await migrator.query<{ there: boolean }>(
    "select to_regprocedure('public.refresh_analytics()') is not null as there",
  );
  if (rows[0]?.there) await migrator.query("select refresh_analytics()");
  await superuser.query("vacuum analyze");
}
