import type { Client } from "pg";
import { runFile, sqlFiles } from "./sql-files.ts";

/** Runs the database's volume generator as the benchmark does: its files in order, each in a transaction. */
export async function runVolume(client: Client, name: string, rows: number): Promise<void> {
  await client.query("select set_config('pgroundwork.volume_rows', $1, false)", [String(rows)]);
  for (const path of await sqlFiles(name, "volume")) await runFile(client, path);
}

/**
 * Brings a volume to the state of a database in use: materialized statistics up to date where the database has some, the planner's statistics
 * too, and the visibility map that index-only scans need, which a generator in a transaction cannot leave.
 */
export async function settleVolume(superuser: Client, migrator: Client): Promise<void> {
  const { rows } = await migrator.query<{ there: boolean }>(
    "select to_regprocedure('public.refresh_analytics()') is not null as there",
  );
  if (rows[0]?.there) await migrator.query("select refresh_analytics()");
  await superuser.query("vacuum analyze");
}
