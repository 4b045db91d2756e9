import { setTimeout as sleep } from "node:timers/promises";
import type { QueryResultRow } from "pg";
import { backoffMs, retryBackoff } from "./backoff.ts";
import { captureCallSite } from "./call-site.ts";
import { closeBusy } from "./cancel.ts";
import { channels } from "./channels.ts";
import { type Checkout, describeCheckout, type HeldClient } from "./checkouts.ts";
import { requestContext } from "./context.ts";
import { type CopyOptions, copyIn, copyOut } from "./copy.ts";
import { refuseOtherCalls, withValues } from "./driver-calls.ts";
import { OutcomeUnknownError, PoolClosedError, UnfinishedWorkError, UseAfterEndError } from "./errors.ts";
import { isLost, isTransactionTimeout } from "./failures.ts";
import { type CheckHealth, checkHealth } from "./health.ts";
import { lendClient } from "./lent-client.ts";
import { Listener, type Subscription, type SubscriptionOptions } from "./listen.ts";
import { Maintenance } from "./maintenance.ts";
import { PoolCore } from "./pool-core.ts";
import { sendOf } from "./pooled-statements.ts";
import { Replicas } from "./replicas/replicas.ts";
import { type StandbyConditions, StandbyReader } from "./replicas/standby-reader.ts";
import { primaryPosition } from "./replicas/wal-position.ts";
import { lostRole, rollBack } from "./retry.ts";
import { RetryBudget } from "./retry-budget.ts";
import type { Transaction } from "./running-transaction.ts";
import type { ServerClient } from "./server-client.ts";
import type { PoolSettings } from "./settings.ts";
import {
  applyContext,
  runStatement,
  type Send,
  type Statement,
  type StatementResult,
  touchesSession,
} from "./statements.ts";
import { type StreamOptions, streamRows } from "./stream.ts";
import { runOnReplica, runTransaction, type TransactionOptions } from "./transaction.ts";

/** A client that the caller has to return with `release()`. */
export type PooledClient = ServerClient & {
  /** Returns the client. Pass `true` or an error to close it instead. */
  release(discard?: boolean | Error): void;
};

/** A pool of connections to PostgreSQL. Create one with `createPool`. */
export class Pool extends PoolCore {
  readonly #budget: RetryBudget;
  readonly #maintenance: Maintenance;
  /** Sends single statements: see `sendOf`. */
  readonly send: Send;
  #listener: Listener | undefined;
  #replicas: Replicas | undefined;

  constructor(settings: PoolSettings) {
    super(settings);
    this.#budget = new RetryBudget(settings.retriesPerSecond);
    this.#maintenance = new Maintenance(this);
    this.send = sendOf(settings);
  }

  /**
   * Runs one statement. It is repeated after a lost connection only if it was not sent yet, or is marked `readOnly`.
   *
   * @throws OutcomeUnknownError if the connection was lost while a statement ran that may change something
   * @throws PoolTimeoutError, ConnectionError, or the server's error
   */
  async query<Row extends QueryResultRow = QueryResultRow>(
    statement: string | Statement,
    values?: readonly unknown[],
    callback?: never,
  ): Promise<StatementResult<Row>> {
    refuseOtherCalls("query", statement, values, callback);
    const full = withValues(statement, values);
    if (full.replica) return this.#queryReplica(full);
    const deadline = performance.now() + this.settings.retryLimitMs;
    for (let attempt = 1; ; attempt += 1) {
      const checkout = this.acquireNow() ?? (await this.acquire("statement", full.signal));
      const { client } = checkout;
      checkout.readOnly = full.readOnly ?? false;
      let sent = false;
      try {
        const applied = applyContext(checkout, this.settings);
        if (applied !== undefined) await applied;
        if (touchesSession(full.text)) client.needsReset = true;
        sent = client.lost === undefined;
        const result = await runStatement<Row>(client, full, this.settings.maxPreparedStatements, this.send);
        if (client.getTransactionStatus() !== "I") throw await this.#unfinished(checkout);
        return result;
      } catch (error) {
        if (error instanceof UnfinishedWorkError) throw error;
        const lost = await isLost(client);
        // The server refused it, so it changed nothing. Another server may be the primary by now.
        const demoted = !lost && (await lostRole(this, client, error));
        if (!lost && !demoted) throw error;
        if (lost && sent && !full.readOnly) throw new OutcomeUnknownError("statement", error);
        if (isTransactionTimeout(error)) throw error;
        const mayRepeat = performance.now() < deadline && !this.closed && !full.signal?.aborted;
        if (!mayRepeat) throw error;
        await sleep(backoffMs(attempt, retryBackoff));
        if (!(await this.#budget.take(deadline, full.signal))) throw error;
        this.counts.retries += 1;
        channels.retry.publish({ pool: this, attempt, error, context: requestContext() });
      } finally {
        this.giveBack(checkout);
      }
    }
  }

  /** Runs a function in a transaction, and repeats it if that is safe; see `runTransaction`. */
  async transaction<T>(run: (transaction: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    if (!options.replica) return runTransaction(this, this.#budget, run, options);
    const answered = await runOnReplica(this.#standbys(), run, options);
    if (answered !== undefined) return answered.result;
    return runTransaction(this, this.#budget, run, { ...options, replica: false, readOnly: true });
  }

  /** Returns the pool's reads from standbys that fulfil these conditions, also for `kyselyOn`. */
  standby(conditions: StandbyConditions = {}): StandbyReader {
    return new StandbyReader(this, conditions);
  }

  /**
   * Returns a position in the WAL after everything that was committed before. Passed on as `afterLsn`, it lets another
   * process read this one's writes from a standby.
   */
  async lsn(): Promise<string> {
    const { rows } = await this.query<{ lsn: string }>({ text: primaryPosition, readOnly: true });
    return rows[0]?.lsn ?? "";
  }

  /** Runs a statement on a standby that fulfils its conditions, else on the primary. */
  async #queryReplica<Row extends QueryResultRow>(statement: Statement): Promise<StatementResult<Row>> {
    const replicas = this.#standbys();
    const checkout = await replicas.obtain(statement, statement.signal);
    const onPrimary = { ...statement, replica: false, readOnly: true };
    if (checkout === undefined) return this.query<Row>(onPrimary);
    const { client } = checkout;
    try {
      await applyContext(checkout, this.settings);
      if (touchesSession(statement.text)) client.needsReset = true;
      return await runStatement<Row>(client, statement, this.settings.maxPreparedStatements, this.send);
    } catch (error) {
      if (!(await replicas.mayFallBack(checkout, error)) || statement.signal?.aborted) throw error;
      return await this.query<Row>(onPrimary);
    } finally {
      replicas.core.giveBack(checkout);
    }
  }

  #standbys(): Replicas {
    if (this.closed) throw new PoolClosedError();
    this.#replicas ??= new Replicas(this, () => this.lsn());
    return this.#replicas;
  }

  /** Runs statements in one transaction, and sends them all before the first answer. */
  batch(
    statements: readonly { text: string; values?: readonly unknown[] }[],
    options?: TransactionOptions,
  ): Promise<StatementResult<QueryResultRow>[]> {
    return this.transaction((transaction) => transaction.batch(statements), options);
  }

  /**
   * Takes a client, which the caller has to return. Prefer {@link withClient}.
   *
   * @throws PoolTimeoutError, PoolClosedError, ConnectionError, or the signal's reason
   */
  async connect(options: { signal?: AbortSignal } = {}): Promise<PooledClient> {
    refuseOtherCalls("connect", options);
    const checkout = await this.acquire("client", options.signal, captureCallSite());
    const { client } = checkout;
    client.lend();
    await applyContext(checkout, this.settings)?.catch((error: unknown) => {
      this.giveBack(checkout);
      throw error;
    });
    let returned = false;
    const release = (discard?: boolean | Error) => {
      if (returned) throw new UseAfterEndError("release() was called a second time for the same client.");
      returned = true;
      lent.end();
      if (discard) this.#discard(checkout, discard instanceof Error ? discard : undefined);
      else this.#returnUnfinished(checkout);
    };
    const lent = lendClient(client, { release });
    return lent.handle;
  }

  /**
   * Runs a function with a client of its own, and returns the client in any case.
   *
   * @throws UnfinishedWorkError if the function left a transaction open, which is rolled back; or its own error
   */
  async withClient<T>(
    run: (client: ServerClient) => Promise<T>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<T> {
    const checkout = await this.acquire("client", signal, captureCallSite());
    const { client } = checkout;
    client.lend();
    const lent = lendClient(client, {});
    let result: T;
    try {
      await applyContext(checkout, this.settings);
      result = await this.checkouts.within(checkout, () => run(lent.handle));
    } catch (error) {
      lent.end();
      await this.finish(checkout);
      throw error;
    }
    lent.end();
    const unfinished = await this.finish(checkout);
    if (unfinished !== undefined) throw unfinished;
    return result;
  }

  /** Streams the rows of a query in batches. The consumer's speed is the server's. */
  stream<Row extends QueryResultRow = QueryResultRow>(
    text: string,
    values?: readonly unknown[],
    options?: StreamOptions,
  ): AsyncIterableIterator<Row> {
    return streamRows<Row>(this, text, values, options);
  }

  /** Runs `COPY … FROM STDIN` with the data of a stream. Returns the number of rows. */
  copyFrom(text: string, source: AsyncIterable<Uint8Array | string>, options?: CopyOptions): Promise<number> {
    return copyIn(this, text, source, options);
  }

  /** Runs `COPY … TO STDOUT` into a stream. Returns the number of rows. */
  copyTo(text: string, target: NodeJS.WritableStream, options?: CopyOptions): Promise<number> {
    return copyOut(this, text, target, options);
  }

  /**
   * Subscribes to a channel. The subscription survives lost connections; notifications sent meanwhile are lost, so
   * `onConnect` is called each time that it begins again.
   *
   * @throws PoolClosedError, PoolTimeoutError, ConnectionError, or OperationError (wrong usage)
   */
  listen(channelName: string, options: SubscriptionOptions): Promise<Subscription> {
    this.#listener ??= new Listener(this);
    return this.#listener.subscribe(channelName, options);
  }

  /** Asks the server for an answer, within a limit. Never throws. */
  health(timeoutMs?: number): Promise<CheckHealth> {
    return checkHealth(this, timeoutMs);
  }

  /**
   * Closes the pool: refuses new requests, waits for clients in use, and closes those that are not returned in time. A
   * second call waits for the same end, and can shorten the wait.
   *
   * @returns the clients that were not returned in time
   */
  async end(options: { timeoutMs?: number } = {}): Promise<HeldClient[]> {
    refuseOtherCalls("end", options);
    const { timeoutMs = 10_000 } = options;
    this.#maintenance.stop();
    // All of them refuse new work at once.
    const closed = this.close(timeoutMs);
    await Promise.all([this.#listener?.close(), this.#replicas?.end(timeoutMs)]);
    return closed;
  }

  /** Closes the pool at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  /** Returns a client that runs nothing any more, and the error to report if it was not idle. */
  async finish(checkout: Checkout): Promise<UnfinishedWorkError | undefined> {
    const { client } = checkout;
    if (client.settling) await client.ready();
    if (checkout.reclaimed || client.lost !== undefined || client.idle) {
      this.giveBack(checkout);
      return undefined;
    }
    const error = await this.#unfinished(checkout);
    this.giveBack(checkout);
    return error;
  }

  /** Ends what a check-out left running, reports it, and returns the error for the caller. */
  async #unfinished(checkout: Checkout): Promise<UnfinishedWorkError> {
    const { client } = checkout;
    const held = describeCheckout(checkout);
    if (client.busy) await closeBusy(client);
    else await rollBack(this, client);
    this.report("unfinished", held);
    return unfinishedWork(held);
  }

  /** Closes a client and returns it: at once, or when its statement was cancelled. */
  #discard(checkout: Checkout, reason?: Error): void {
    const { client } = checkout;
    const closing = closeBusy(client, reason);
    if (client.lost !== undefined) this.giveBack(checkout);
    else void closing.finally(() => this.giveBack(checkout));
  }

  /** Returns a client of {@link connect}. Its caller does not wait, but is told. */
  #returnUnfinished(checkout: Checkout): void {
    const { client } = checkout;
    // A statement that failed outside a transaction leaves nothing behind.
    const settled = client.settling && client.getTransactionStatus() === "I";
    if (checkout.reclaimed || client.lost !== undefined || client.idle || settled) {
      this.giveBack(checkout);
      return;
    }
    const held = describeCheckout(checkout);
    if (client.busy) this.#discard(checkout);
    else void rollBack(this, client).finally(() => this.giveBack(checkout));
    this.report("unfinished", held);
    throw unfinishedWork(held);
  }
}

function unfinishedWork({ state, takenAt, statement }: HeldClient): UnfinishedWorkError {
  const what =
    state === "busy" ? "while a statement was running; it was closed" : "in a transaction, which was rolled back";
  return new UnfinishedWorkError(
    `A client was returned ${what}. It was taken at ${takenAt}, its last statement is: ${statement}`,
    {
      hint: "Await each statement, and end a transaction before you return its client, or use pool.transaction().",
    },
  );
}
