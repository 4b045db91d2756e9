import { tokensOf } from "../sql/statements.ts";

/** Statements that remove a problem. They run one by one, not in a transaction, as a superuser or the owner. */
export interface Fix {
  statements: string[];
  /** Says which lock they take, and what they block or lose. */
  effect: string;
  /** Statements that restore the state before. Empty if nothing is dropped, or nothing can restore it. */
  revert: string[];
  /** Database to run them in, if it is not that of the finding. */
  database?: string;
}

/** Time that a fix waits for a lock. Statements that queue behind it would wait, too. */
const lockTimeout = "set lock_timeout = '5s'";

/** No statement queues behind one that works concurrently, and a limit would end it with an invalid index. */
const noLockTimeout = "set lock_timeout = 0";

/** Makes a fix that gives up if it waits for a lock for too long. */
export function fix(statements: string[], effect: string, revert: string[] = []): Fix {
  return { statements: withLimits(statements), effect, revert: withLimits(revert) };
}

/** Puts the limit of each statement before it, unless the one before has the same. */
function withLimits(statements: readonly string[]): string[] {
  const limitOf = (statement: string | undefined) =>
    statement !== undefined && worksConcurrently(statement) ? noLockTimeout : lockTimeout;
  return statements.flatMap((statement, index) => {
    const limit = limitOf(statement);
    return index > 0 && limitOf(statements[index - 1]) === limit ? [statement] : [limit, statement];
  });
}

const concurrent =
  /^(?:create (?:unique )?index|drop index|reindex (?:\( [^)]*\) )?(?:index|table|schema|database|system)) concurrently |^reindex \( (?:[^)]* )?concurrently /;

/** Returns true for a statement on indexes with CONCURRENTLY, however it is written: PostgreSQL prints upper case. */
function worksConcurrently(statement: string): boolean {
  const words: string[] = [];
  for (const { start, end, kind } of tokensOf(statement)) {
    if (kind === "blank" || kind === "comment") continue;
    if (words.push(statement.slice(start, end).toLowerCase()) === mostWords) break;
  }
  return concurrent.test(`${words.join(" ")} `);
}

/** Words in which CONCURRENTLY must be, after the options of REINDEX. */
const mostWords = 20;

/** Makes a fix for an existing setting of the server that needs no restart. */
export function settingFix(name: string, value: string, before: string): Fix {
  const set = (to: string) => [`alter system set ${name} = ${quoteLiteral(to)}`, "select pg_reload_conf()"];
  return fix(
    set(value),
    "It takes no lock and needs no restart. On a stack, write it to the stack's settings instead, or `up` reverts it.",
    set(before),
  );
}

/** Quotes a text for SQL. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
