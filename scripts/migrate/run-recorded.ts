import type { Client } from "pg";
import { runSql, sqlFileError } from "../sql/run-sql.ts";
import type { SqlSource } from "../sql/sql-error.ts";
import { beginWithTimeouts, type TimeoutMillis } from "./timeouts.ts";

export interface RecordedRun {
  source: SqlSource;
  timeouts: TimeoutMillis;
  /** What to do where it fails. */
  remedy: string;
}

/**
 * Runs a file and records it, in one transaction of two round trips on a connection that pipelines. The record goes out only after the file has run
 * through: one that ends the transaction itself and fails then must not be recorded.
 *
 * @throws SqlFileError; nothing of it is there then
 */
export async function runRecorded(
  client: Client,
  { source, timeouts, remedy }: RecordedRun,
  record: () => Promise<void>,
): Promise<void> {
  const failedAt = (error: unknown, when: string) =>
    sqlFileError(error, { ...source, file: `${source.file}, ${when}` }, remedy);
  try {
    await runSql(client, source, remedy, beginWithTimeouts(timeouts));
    // Where the record fails, the server takes this commit for a rollback. Deferred constraints fail at it.
    const [recorded, committed] = await Promise.allSettled([record(), client.query("commit")]);
    if (recorded.status === "rejected") throw failedAt(recorded.reason, "recording it");
    if (committed.status === "rejected") throw failedAt(committed.reason, "at its commit");
  } catch (error) {
    // Where the connection is lost there is nothing to roll back, and the first error counts.
    await client.query("rollback").catch(() => {});
    throw error;
  }
}
