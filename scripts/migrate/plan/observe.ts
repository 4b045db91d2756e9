import type { Client } from "pg";
import { inTransaction } from "../../connection/session.ts";
import { withFile } from "../../sql/file-session.ts";
import { sqlFileError } from "../../sql/run-sql.ts";
import type { CommittedMigration } from "../committed.ts";
import { triedHint as hint } from "../replay.ts";
import { effectsBetween, type Look, type StatementEffects } from "./effects.ts";
import { type HeldLocks, isLockMode, strongest } from "./lock-mode.ts";
import { type Relation, readTableStates } from "./relations.ts";
import { type FileStatement, readsByPlan } from "./statements.ts";

/** A file to try, and the means to observe it. */
export interface Trial {
  file: CommittedMigration;
  statements: readonly FileStatement[];
  compile: (sql: string) => string;
  /** `pgSettings` of .gmrc. */
  settings: Readonly<Record<string, string>>;
  /** Relations that existed before the pending files. */
  relations: ReadonlyMap<number, Relation>;
}

/**
 * Runs a file's statements one by one in one transaction and reports the effects of each.
 *
 * @param onEffects called in the statements' order, for each statement that ran
 * @throws SqlFileError
 */
export async function observeInTransaction(
  client: Client,
  trial: Trial,
  onEffects: (effects: StatementEffects) => void,
): Promise<void> {
  const work = async () => {
    let before = await look(client);
    for (const statement of trial.statements) {
      await runStatement(client, trial, statement);
      const after = await look(client);
      onEffects(effectsOf(trial, statement, before, after));
      before = after;
    }
  };
  const options = {
    atCommit(error: unknown): never {
      throw sqlFileError(error, { ...sourceOf(trial, 0), file: `${trial.file.filename}, at its commit` }, hint);
    },
  };
  await withFile(client, { file: trial.file.filename, settings: trial.settings }, () =>
    inTransaction(client, work, options),
  );
}

async function look(client: Client): Promise<Look> {
  return { locks: await readLocks(client), tables: await readTableStates(client) };
}

/** Returns the locks that a backend holds or waits for in this database. Default: the client's own backend. */
export async function readLocks(client: Client, pid?: number): Promise<HeldLocks> {
  const { rows } = await client.query<{ oid: number; mode: string }>(
    `select relation::int8::float8 as oid, mode from pg_locks
      where locktype = 'relation' and pid = coalesce($1, pg_backend_pid())
        and database = (select oid from pg_database where datname = current_database())`,
    [pid ?? null],
  );
  return strongest(rows.flatMap(({ oid, mode }) => (isLockMode(mode) ? [[oid, mode] as const] : [])));
}

/**
 * Sends one statement. On empty tables the planner has no reason to use an index. With sequential scans disabled, it
 * uses an index if any index serves. A sequential scan that remains means that none does.
 *
 * @throws SqlFileError
 */
export async function runStatement(client: Client, trial: Trial, statement: FileStatement): Promise<void> {
  const sql = trial.file.text.slice(statement.start, statement.end);
  const planned = readsByPlan(sql);
  if (planned) await client.query("set enable_seqscan = off");
  await client.query(trial.compile(sql)).catch((error: unknown) => {
    throw sqlFileError(error, sourceOf(trial, statement.start), hint, 0);
  });
  if (planned) await client.query("reset enable_seqscan");
}

function sourceOf({ file, compile }: Trial, start: number) {
  return { file: file.filename, text: file.text, start, compile };
}

/** Returns the effects of a statement from the observations before and after it. */
export function effectsOf(
  { relations, file }: Trial,
  { start, end }: FileStatement,
  before: Look,
  after: Look,
): StatementEffects {
  return effectsBetween(relations, before, after, /^truncate\b/i.test(file.text.slice(start, end)));
}
