import { setTimeout as sleep } from "node:timers/promises";
import { backoffMs, retryBackoff } from "./backoff.ts";
import { captureCallSite } from "./call-site.ts";
import { cancellable } from "./cancel.ts";
import { channels } from "./channels.ts";
import type { Checkout } from "./checkouts.ts";
import { commit } from "./commit.ts";
import { contextStatement, requestContext } from "./context.ts";
import type { PoolCore } from "./pool-core.ts";
import { openIfPooled } from "./pooled-statements.ts";
import type { ReplicaRead, Replicas } from "./replicas/replicas.ts";
import { FailedAttempt, failureOf } from "./retry.ts";
import type { RetryBudget } from "./retry-budget.ts";
import { RunningTransaction, type Transaction } from "./running-transaction.ts";
import type { ServerClient } from "./server-client.ts";

/** Options of a transaction. */
export interface TransactionOptions extends ReplicaRead {
  isolation?: "read committed" | "repeatable read" | "serializable";
  /** The server refuses changes. The whole transaction is safe to repeat. */
  readOnly?: boolean;
  /** Repeats the function after a conflict, a deadlock or a lost connection. Default: true. */
  retry?: boolean;
  /** Time limit for each statement in this transaction instead of the pool's. 0: no limit. */
  queryTimeoutMs?: number;
  /** Cancels the running statement and rolls back. */
  signal?: AbortSignal;
}

/** Attempts that the limit in time cannot bound if they fail at once. */
const maxAttempts = 20;

/**
 * Runs a function in a transaction, and repeats it if that is safe: after a serialization failure, a deadlock, a lost
 * connection before the COMMIT, or a server that became a standby.
 *
 * @throws RolledBackError, EndedTransactionError, OutcomeUnknownError, the error of the function, or that of the pool
 */
export async function runTransaction<T>(
  core: PoolCore,
  budget: RetryBudget,
  run: (transaction: Transaction) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const site = captureCallSite();
  const deadline = performance.now() + core.settings.retryLimitMs;
  for (let attempt = 1; ; attempt += 1) {
    const checkout = await core.acquire("transaction", options.signal, site);
    try {
      return await attemptTransaction(core, checkout, run, options);
    } catch (error) {
      const failure = error instanceof FailedAttempt ? error : undefined;
      if (failure === undefined) throw error;
      const { cause, repeatable } = failure;
      const out = attempt >= maxAttempts || performance.now() >= deadline || core.closed || options.signal?.aborted;
      if (!repeatable || options.retry === false || out) throw cause;
      await sleep(backoffMs(attempt, retryBackoff, Math.random()));
      if (!(await budget.take(deadline, options.signal))) throw cause;
      core.counts.retries += 1;
      channels.retry.publish({ pool: core, attempt, error: cause, context: requestContext() });
    }
  }
}

/**
 * Runs a function in a read-only transaction on a standby that fulfils the conditions.
 *
 * @returns undefined if the primary has to answer
 * @throws the error of the function, or the signal's reason
 */
export async function runOnReplica<T>(
  replicas: Replicas,
  run: (transaction: Transaction) => Promise<T>,
  options: TransactionOptions,
): Promise<{ result: T } | undefined> {
  const checkout = await replicas.obtain(options, options.signal);
  if (checkout === undefined) return undefined;
  try {
    return { result: await attemptTransaction(replicas.core, checkout, run, { ...options, readOnly: true }) };
  } catch (error) {
    if (!(error instanceof FailedAttempt)) throw error;
    if (options.retry !== false && error.repeatable) return undefined;
    throw error.cause;
  }
}

async function attemptTransaction<T>(
  core: PoolCore,
  checkout: Checkout,
  run: (transaction: Transaction) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const { client } = checkout;
  const { readOnly = false, signal } = options;
  checkout.readOnly = readOnly;
  const running = new RunningTransaction(core, client, signal);
  if (options.queryTimeoutMs !== undefined)
    checkout.statementLimitMs = options.queryTimeoutMs === 0 ? 0 : options.queryTimeoutMs + 5_000;
  try {
    await begin(core, client, options);
    const work = () => core.checkouts.within(checkout, () => running.run(run));
    const result = await (signal === undefined ? work() : cancellable(client, signal, work));
    signal?.throwIfAborted();
    await commit(core, checkout, readOnly);
    return result;
  } catch (error) {
    throw await failureOf(core, client, error, readOnly);
  } finally {
    core.giveBack(checkout);
  }
}

/** Returns the statement that begins a transaction. */
export function beginText({ isolation, readOnly }: { isolation?: string | undefined; readOnly?: boolean }): string {
  return ["begin", isolation && `isolation level ${isolation}`, readOnly && "read only"].filter(Boolean).join(" ");
}

/** Begins a transaction with the request's context and the limits that are for this transaction only. */
async function begin({ settings }: PoolCore, client: ServerClient, options: TransactionOptions): Promise<void> {
  const { queryTimeoutMs = settings.queryTimeoutMs } = options;
  const beginning = beginText(options);
  if (await openIfPooled(client, { ...settings, queryTimeoutMs }, beginning)) return;
  await client.query(beginning);
  if (options.queryTimeoutMs !== undefined)
    await client.query(`set local statement_timeout to ${Number(queryTimeoutMs)}`);
  const context = requestContext();
  if (context !== undefined || client.contextKey !== "")
    await client.query(contextStatement(context, "local", settings));
}
