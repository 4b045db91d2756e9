import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { backendPid } from "../../connection/session.ts";
import { withFile } from "../../sql/file-session.ts";
import type { StatementEffects } from "./effects.ts";
import { type HeldLocks, strongest } from "./lock-mode.ts";
import { effectsOf, readLocks, runStatement, type Trial } from "./observe.ts";
import { readTableStates } from "./relations.ts";

/** Pause between two checks of the other session's locks, in ms. */
const lookEvery = 10;

/**
 * Runs the one statement of a file outside a transaction. Its locks are gone when it ends. Therefore another session
 * blocks it, as a busy application would: it locks the tables like a writer, reads which locks the statement holds or
 * waits for, and then lets it pass.
 *
 * @param watcher a second connection to the same database
 * @throws SqlFileError
 */
export async function observeOutside(
  client: Client,
  watcher: Client,
  trial: Trial,
  onEffects: (effects: StatementEffects) => void,
): Promise<void> {
  const [statement] = trial.statements;
  if (statement === undefined) return;
  const before = await readTableStates(client);
  await watcher.query("begin");
  let locks: HeldLocks;
  try {
    await lockMentionedTables(watcher, trial.compile(trial.file.text.slice(statement.start, statement.end)));
    const pid = await backendPid(client);
    let ended = false;
    const run = () => runStatement(client, trial, statement);
    const running = withFile(client, { file: trial.file.filename, settings: trial.settings }, run).finally(() => {
      ended = true;
    });
    // The promise is awaited below. Until then, its failure must not count as an unhandled rejection.
    running.catch(() => {});
    locks = await watch(watcher, pid, () => ended);
    await watcher.query("commit");
    await running;
  } finally {
    await watcher.query("rollback").catch(() => {});
  }
  const after = { locks, tables: await readTableStates(client) };
  onEffects(effectsOf(trial, statement, { locks: new Map(), tables: before }, after));
}

/**
 * Locks, as a writer does, the tables that the statement may concern: each table whose name, or whose index's name, it
 * contains.
 */
async function lockMentionedTables(watcher: Client, sql: string): Promise<void> {
  const { rows } = await watcher.query<{ name: string }>(
    `select format('%I.%I', nspname, relname) as name from pg_class c join pg_namespace n on n.oid = relnamespace
      where relkind in ('r', 'p') and nspname !~ '^pg_' and nspname <> 'information_schema'
        and has_table_privilege(c.oid, 'update')
        and (strpos($1, lower(relname)) > 0
             or exists (select from pg_index join pg_class i on i.oid = indexrelid
                         where indrelid = c.oid and strpos($1, lower(i.relname)) > 0))`,
    [sql.toLowerCase()],
  );
  if (rows.length > 0)
    await watcher.query(`lock table ${rows.map(({ name }) => name).join(", ")} in row exclusive mode`);
}

/** Collects all locks that the backend holds or requests until it waits for the watcher or has ended. */
async function watch(watcher: Client, pid: number, hasEnded: () => boolean): Promise<HeldLocks> {
  let seen: HeldLocks = new Map();
  for (;;) {
    const ended = hasEnded();
    seen = strongest([...seen, ...(await readLocks(watcher, pid))]);
    if (ended || (await waits(watcher, pid))) return strongest([...seen, ...(await readLocks(watcher, pid))]);
    await sleep(lookEvery);
  }
}

async function waits(watcher: Client, pid: number): Promise<boolean> {
  const { rows } = await watcher.query<{ waits: boolean }>(
    "select pg_backend_pid() = any (pg_blocking_pids($1)) as waits",
    [pid],
  );
  return rows[0]?.waits ?? false;
}
