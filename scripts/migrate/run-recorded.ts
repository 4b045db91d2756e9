import type { Client } from "pg";
import { runSql, sqlFileError } from "../sql/run-sql.ts";
import type { SqlSource } from "../sql/sql-error.ts";
import { beginWithTimeouts, type TimeoutMillis } from "./timeouts.ts";
import { markTransaction } from "./transaction-mark.ts";

export interface RecordedRun {
  source: SqlSource;
  timeouts: TimeoutMillis;
  /** What to do where it fails. */
  remedy: string;
}

/** Records a run, in the marked transaction only or wherever the session is. False: it is in another one, and nothing was recorded. */
export type RecordRun = (where: "marked transaction" | "anywhere") => Promise<boolean>;

/**
 * Runs a file and records it, in one transaction and one round trip on a connection that pipelines. The record goes out before it is known how the file ends:
 * after a failure the server refuses it, and takes the commit for a rollback; where the file has ended the transaction itself, the record does nothing, and
 * is made when the file has run through.
 *
 * @throws SqlFileError; nothing of it is there then, but for what the file itself has committed
 */
export async function runRecorded(
  client: Client,
  { source, timeouts, remedy }: RecordedRun,
  record: RecordRun,
): Promise<void> {
  const failedAt = (error: unknown, when: string) =>
    sqlFileError(error, { ...source, file: `${source.file}, ${when}` }, remedy);
  const [ran, recorded, committed] = await Promise.allSettled(
    inOnePacket(client, () => [
      runSql(client, source, remedy, [...beginWithTimeouts(timeouts), markTransaction]),
      record("marked transaction"),
      client.query("commit"),
    ]),
  );
  if (ran.status === "rejected") throw ran.reason;
  if (recorded.status === "rejected") throw failedAt(recorded.reason, "recording it");
  // Deferred constraints fail at it.
  if (committed.status === "rejected") throw failedAt(committed.reason, "at its commit");
  if (!recorded.value) await record("anywhere");
}

/** Each write to a socket wakes the server: three queries are one. */
function inOnePacket<T>({ connection }: Client, send: () => T): T {
  connection.stream.cork();
  try {
    return send();
  } finally {
    connection.stream.uncork();
  }
}
