import type { Client } from "pg";
import { exitCode, OperationError } from "../core/operation-error.ts";

/** Limits for a migration, as PostgreSQL writes durations: `3s`, `500ms`, `2min`; `0` is no limit. */
export interface Timeouts {
  /** Longest wait of a statement for a lock, before it lets the queue behind it pass. Default: 3s. */
  lockTimeout?: string | undefined;
  /** Longest run of one statement. Default: no limit. */
  statementTimeout?: string | undefined;
  /** Total time in which a file that hit its lock timeout is retried. Default: 2min; 0: no retry. */
  retryFor?: string | undefined;
}

/** The same limits in ms. */
export interface TimeoutMillis {
  lock: number;
  statement: number;
  retry: number;
}

/**
 * Default limits. Every writer of a table queues behind a migration that waits for its lock. An application can bear
 * three seconds.
 */
export const defaultTimeouts = { lockTimeout: "3s", statementTimeout: "0", retryFor: "2min" } as const;

/**
 * Parses durations as the server does.
 *
 * @throws OperationError (exit code usage) for a duration that the server does not understand
 */
export async function readTimeouts(client: Client, given: Timeouts = {}): Promise<TimeoutMillis> {
  const millis = async (name: string, text: string): Promise<number> => {
    try {
      const { rows } = await client.query<{ ms: number }>(
        "select (extract(epoch from $1::interval) * 1000)::float8 as ms",
        [text],
      );
      const ms = Math.ceil(rows[0]?.ms ?? -1);
      if (ms >= 0) return ms;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && String(error.code).startsWith("22"))) throw error;
    }
    throw new OperationError(`${name} "${text}" is not a duration.`, {
      hint: "Write it as in PostgreSQL: 3s, 500ms, 2min. 0 means no limit.",
      exitCode: exitCode.usage,
    });
  };
  const [lock, statement, retry] = await Promise.all([
    millis("The lock timeout", given.lockTimeout ?? defaultTimeouts.lockTimeout),
    millis("The statement timeout", given.statementTimeout ?? defaultTimeouts.statementTimeout),
    millis("The time for retries", given.retryFor ?? defaultTimeouts.retryFor),
  ]);
  return { lock, statement, retry };
}

type StatementTimeouts = Pick<TimeoutMillis, "lock" | "statement">;

/**
 * Returns the statements that begin a transaction with these timeouts. They are sent before a file's own statements: a
 * file may set its own timeouts.
 */
export function beginWithTimeouts(timeouts: StatementTimeouts): readonly string[] {
  return ["begin", ...settingsOf("local", timeouts)];
}

/** Sets the timeouts for the session. A file may set its own. */
export async function setTimeouts(client: Client, timeouts: StatementTimeouts): Promise<void> {
  await client.query(settingsOf("session", timeouts).join("; "));
}

/**
 * Returns the timeouts for a file outside a transaction. A CONCURRENTLY command waits for old transactions in the same
 * way as for locks, but nothing queues behind it. It therefore gets a lock timeout only if one was requested.
 */
export function timeoutsOutside(
  sql: string,
  timeouts: StatementTimeouts,
  lockTimeoutAsked: boolean,
): StatementTimeouts {
  const patient = /\bconcurrently\b/i.test(sql) && !lockTimeoutAsked;
  return { ...timeouts, lock: patient ? 0 : timeouts.lock };
}

/** Returns the SET statements. SET takes no parameters, and the values are numbers. */
function settingsOf(scope: "local" | "session", { lock, statement }: StatementTimeouts): string[] {
  return [`set ${scope} lock_timeout = ${Number(lock)}`, `set ${scope} statement_timeout = ${Number(statement)}`];
}
