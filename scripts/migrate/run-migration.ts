import type { Client } from "pg";
import { OperationError } from "../errors/operation-error.ts";
import { runSql, sqlFileError } from "../sql/run-sql.ts";
import type { SqlSource } from "../sql/sql-error.ts";
import { statementSpans } from "../sql/statements.ts";
import type { CommittedMigration } from "./committed.ts";
import { type LedgerSubject, recordApplied, recordFinished, recordStarted } from "./ledger.ts";

const laterFiles = "The files before it stay applied; correct this one (it was never applied) and run again.";
const outsideTransaction =
  "This file does not run in a transaction, and part of its work may be there, such as an invalid index: drop that, then run again.";

/**
 * Runs one committed file and records it: in one transaction, or for `--! no-transaction` between a row that says "started" and its end.
 * @throws SqlFileError; a transactional file has then left nothing.
 */
export async function runMigration(
  client: Client,
  subject: LedgerSubject,
  compile: (sql: string) => string,
): Promise<void> {
  const { migration } = subject;
  const source = { file: migration.filename, text: migration.text, start: migration.bodyStart, compile };
  if (migration.transactional) await inTransaction(client, subject, source);
  else await outside(client, subject, source);
}

async function inTransaction(client: Client, subject: LedgerSubject, source: SqlSource): Promise<void> {
  await client.query("begin");
  try {
    await runSql(client, source, laterFiles);
    await recordApplied(client, subject).catch((error: unknown) => {
      throw sqlFileError(error, { ...source, file: `${source.file}, recording it` }, laterFiles);
    });
    // Deferred constraints fail here.
    await client.query("commit").catch((error: unknown) => {
      throw sqlFileError(error, { ...source, file: `${source.file}, at its commit` }, laterFiles);
    });
  } catch (error) {
    // Where the connection is lost there is nothing to roll back, and the first error counts.
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

async function outside(client: Client, subject: LedgerSubject, source: SqlSource): Promise<void> {
  const id = await recordStarted(client, subject);
  await runSql(client, source, outsideTransaction);
  await recordFinished(client, id, subject.migration);
}

/**
 * Refuses files that cannot run as they are, before any file runs: outside a transaction the server takes one statement at a time.
 * @throws OperationError with all of them.
 */
export function requireRunnable(migrations: readonly CommittedMigration[]): void {
  const faults = migrations
    .filter((migration) => !migration.transactional)
    .map((migration) => ({ migration, count: statementSpans(migration.text.slice(migration.bodyStart)).length }))
    .filter(({ count }) => count !== 1)
    .map(({ migration, count }) => `- ${migration.filename} has --! no-transaction and ${count} statements`);
  if (faults.length === 0) return;
  throw new OperationError(["A file outside a transaction holds exactly one statement:", ...faults].join("\n"), {
    remedy: "Put each statement into a file of its own, each with --! no-transaction.",
  });
}
