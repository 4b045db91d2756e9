import type { Client } from "pg";
import { beginFile, endFile, endFileWork } from "../sql/file-session.ts";
import { runSql } from "../sql/run-sql.ts";
import type { SqlSource } from "../sql/sql-error.ts";
import { deferredFault, recordFault } from "./record-fault.ts";
import { beginWithTimeouts, type TimeoutMillis } from "./timeouts.ts";
import { markTransaction } from "./transaction-mark.ts";

/** A file to run, with its settings. */
export interface RecordedRun {
  source: SqlSource;
  timeouts: TimeoutMillis;
  /** Session settings of `.gmrc` for the file. */
  settings: Readonly<Record<string, string>>;
  /** Hint for a failure. */
  hint: string;
}

/**
 * Records a run, either in the marked transaction only or in any state of the session. Returns false if the marked
 * transaction is over: then nothing was recorded.
 */
export type RecordRun = (where: "marked transaction" | "anywhere") => Promise<boolean>;

/**
 * Runs a file and records it, in one transaction and one round trip on a connection that pipelines. The record is sent
 * before the outcome of the file is known. After a failure, the server refuses the record and turns the commit into a
 * rollback. If the file itself ended the transaction, the record does nothing there and is written after the file has
 * completed. The session is reset for the kit afterwards, however the file ended.
 *
 * @throws SqlFileError; nothing of the file remains then, except what the file itself committed
 */
export async function runRecorded(
  client: Client,
  { source, timeouts, settings, hint }: RecordedRun,
  record: RecordRun,
): Promise<void> {
  const [begun, ran, worked, recorded, committed, ended] = await Promise.allSettled(
    inOnePacket(client, () => [
      beginFile(client, settings),
      runSql(client, source, hint, [...beginWithTimeouts(timeouts), markTransaction]),
      endFileWork(client),
      record("marked transaction"),
      client.query("commit"),
      endFile(client),
    ]),
  );
  if (begun.status === "rejected") throw begun.reason;
  if (ran.status === "rejected") throw ran.reason;
  if (worked.status === "rejected") throw await deferredFault(worked.reason, source, hint);
  if (recorded.status === "rejected") throw recordFault(recorded.reason, source, hint);
  if (committed.status === "rejected") throw await deferredFault(committed.reason, source, hint);
  if (ended.status === "rejected") throw ended.reason;
  if (recorded.value) return;
  await record("anywhere").catch((error: unknown) => {
    throw recordFault(error, source, hint);
  });
}

/** Sends all queries in one packet: each separate write to a socket wakes the server. */
function inOnePacket<T>({ connection }: Client, send: () => T): T {
  connection.stream.cork();
  try {
    return send();
  } finally {
    connection.stream.uncork();
  }
}
