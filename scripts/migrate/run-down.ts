import type { Client } from "pg";
import { withFile } from "../sql/file-session.ts";
import { runSql } from "../sql/run-sql.ts";
import { concurrentIndexOf } from "./concurrent-index.ts";
import type { DownFile } from "./down-file.ts";
import { type DownSubject, openDownRun, recordDownFinished, recordDownStarted, recordReverted } from "./down-ledger.ts";
import { buildIndex } from "./index-build.ts";
import type { MigrationRun } from "./run-migration.ts";
import { runRecorded } from "./run-recorded.ts";
import { statementOutcome } from "./statement-outcome.ts";
import { setTimeouts, timeoutsOutside } from "./timeouts.ts";

const hint = "The files after it are reverted. This one and those before it stay applied. Correct it and run again.";
const outsideTransaction =
  "This file does not run in a transaction, so part of it may be done. Correct the file or the cause of the error, then run again.";

/**
 * Runs one down migration and deletes the record of its migration. Both happen in one transaction. With
 * `--! no-transaction`, a ledger row marks the start before the file runs and is completed after it.
 *
 * @throws SqlFileError; a transactional file has then changed nothing
 */
export async function runDown(client: Client, subject: DownSubject, down: DownFile, run: MigrationRun): Promise<void> {
  const source = { file: down.filename, text: down.text, start: 0, compile: run.compile };
  if (!down.transactional) return outside(client, subject, source, run);
  const { timeouts, settings } = run;
  await runRecorded(client, { source, timeouts, settings, hint }, (where) => recordReverted(client, subject, where));
}

async function outside(
  client: Client,
  subject: DownSubject,
  source: Parameters<typeof runSql>[1],
  { compile, settings, timeouts, lockTimeoutAsked }: MigrationRun,
): Promise<void> {
  const begun = await openDownRun(client, subject.hash);
  const id = begun ?? (await recordDownStarted(client, subject));
  await withFile(client, { file: source.file, settings }, async () => {
    if (begun !== undefined && (await statementOutcome(client, compile(source.text))) === "done") return;
    await setTimeouts(client, timeoutsOutside(source.text, timeouts, lockTimeoutAsked));
    const index = await concurrentIndexOf(compile(source.text));
    const run = () => runSql(client, source, outsideTransaction);
    if (index === undefined) await run();
    else await buildIndex(client, { index, source, again: begun !== undefined, hint: outsideTransaction }, run);
  });
  await recordDownFinished(client, subject, id);
}
