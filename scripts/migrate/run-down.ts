import type { Client } from "pg";
import { runSql } from "../sql/run-sql.ts";
import type { DownFile } from "./down-file.ts";
import { type DownSubject, openDownRun, recordDownFinished, recordDownStarted, recordUndone } from "./down-ledger.ts";
import type { MigrationRun } from "./run-migration.ts";
import { runRecorded } from "./run-recorded.ts";
import { statementOutcome } from "./statement-outcome.ts";
import { resetTimeouts, setTimeouts, timeoutsOutside } from "./timeouts.ts";

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
  await runRecorded(client, { source, timeouts: run.timeouts, remedy }, (where) =>
    recordUndone(client, subject, where),
  );
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
    await recordDownFinished(client, subject, begun);
    return;
  }
  const id = begun ?? (await recordDownStarted(client, subject));
  await setTimeouts(client, timeoutsOutside(source.text, timeouts, lockTimeoutAsked));
  try {
    await runSql(client, source, outsideTransaction);
  } finally {
    await resetTimeouts(client).catch(() => {});
  }
  await recordDownFinished(client, subject, id);
}
