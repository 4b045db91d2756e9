import type { Client } from "pg";
import { runSql, sqlFileError } from "../sql/run-sql.ts";
import type { DownFile } from "./down-file.ts";
import { type DownSubject, openDownRun, recordDownStarted, recordUndone } from "./down-ledger.ts";
import type { MigrationRun } from "./run-migration.ts";
import { statementOutcome } from "./statement-outcome.ts";
import { beginWithTimeouts, setTimeouts } from "./timeouts.ts";

const remedy = "The files after it are undone, this one and those before it stay applied; correct it and run again.";
const outsideTransaction =
  "This file does not run in a transaction, and part of its work may be done. Correct it, or mend what it stumbled over, and run again.";

/**
 * Runs one way back and takes the record of its migration away: in one transaction, or for `--! no-transaction` between a row that says "started" and
 * its end.
 *
 * @throws SqlFileError; a transactional file has then changed nothing
 */
export async function runDown(client: Client, subject: DownSubject, down: DownFile, run: MigrationRun): Promise<void> {
  const source = { file: down.filename, text: down.text, start: 0, compile: run.compile };
  if (!down.transactional) return outside(client, subject, source, run);
  await beginWithTimeouts(client, run.timeouts);
  try {
    await runSql(client, source, remedy);
    await recordUndone(client, subject).catch((error: unknown) => {
      throw sqlFileError(error, { ...source, file: `${source.file}, recording it` }, remedy);
    });
    await client.query("commit").catch((error: unknown) => {
      throw sqlFileError(error, { ...source, file: `${source.file}, at its commit` }, remedy);
    });
  } catch (error) {
    // Where the connection is lost there is nothing to roll back, and the first error counts.
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

async function outside(
  client: Client,
  subject: DownSubject,
  source: Parameters<typeof runSql>[1],
  { compile, timeouts, lockTimeoutAsked }: MigrationRun,
): Promise<void> {
  const begun = await openDownRun(client, subject.hash);
  const finished = begun !== undefined && (await statementOutcome(client, compile(source.text))) === "done";
  if (finished) {
    await recordUndone(client, subject, begun);
    return;
  }
  const id = begun ?? (await recordDownStarted(client, subject));
  // As with files that go up: what works CONCURRENTLY has nobody queue behind it.
  const patient = /\bconcurrently\b/i.test(source.text) && !lockTimeoutAsked;
  await setTimeouts(client, { ...timeouts, lock: patient ? 0 : timeouts.lock });
  try {
    await runSql(client, source, outsideTransaction);
  } finally {
    await client.query("reset lock_timeout; reset statement_timeout").catch(() => {});
  }
  await recordUndone(client, subject, id);
}
