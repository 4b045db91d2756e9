import type { Client } from "pg";
import { exitCode, OperationError } from "../errors/operation-error.ts";

/** How long a migration may wait for locks and run, as PostgreSQL writes durations: `3s`, `500ms`, `2min`; `0` is without limit. */
export interface Timeouts {
  /** How long a statement waits for a lock before it gives way to whoever queues behind it. Default: 3s. */
  lockTimeout?: string | undefined;
  /** How long one statement may run. Default: without limit. */
  statementTimeout?: string | undefined;
  /** How long a file that gave way is tried again, in all. Default: 2min; 0: not at all. */
  retryFor?: string | undefined;
}

/** The same in ms. */
export interface TimeoutMillis {
  lock: number;
  statement: number;
  retry: number;
}

/** Every writer of a table queues behind a migration that waits for its lock: three seconds is what an application bears. */
export const defaultTimeouts = { lockTimeout: "3s", statementTimeout: "0", retryFor: "2min" } as const;

/**
 * Reads durations as the server does.
 * @throws OperationError (wrong usage) for one that it does not understand
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
    throw new OperationError(`${name} "${text}" is no duration.`, {
      remedy: "Write it as PostgreSQL does: 3s, 500ms, 2min; 0 is without limit.",
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
 * What begins a transaction with them, as statements to send before a file's own: a file may set its own.
 */
export function beginWithTimeouts(timeouts: StatementTimeouts): readonly string[] {
  return ["begin", ...settingsOf("local", timeouts)];
}

/** Sets them for the session, as far as a file does not set its own. */
export async function setTimeouts(client: Client, timeouts: StatementTimeouts): Promise<void> {
  await client.query(settingsOf("session", timeouts).join("; "));
}

/** Takes back what `setTimeouts` set. */
export async function resetTimeouts(client: Client): Promise<void> {
  await client.query("reset lock_timeout; reset statement_timeout");
}

/**
 * Those for a file outside a transaction. What works CONCURRENTLY waits for old transactions by the same means as for locks, and nobody queues behind it
 * meanwhile: only who asked for a lock timeout gets one.
 */
export function timeoutsOutside(
  sql: string,
  timeouts: StatementTimeouts,
  lockTimeoutAsked: boolean,
): StatementTimeouts {
  const patient = /\bconcurrently\b/i.test(sql) && !lockTimeoutAsked;
  return { ...timeouts, lock: patient ? 0 : timeouts.lock };
}

/** SET takes no parameters; what stands here are numbers. */
function settingsOf(scope: "local" | "session", { lock, statement }: StatementTimeouts): string[] {
  return [`set ${scope} lock_timeout = ${Number(lock)}`, `set ${scope} statement_timeout = ${Number(statement)}`];
}
