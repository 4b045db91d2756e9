import { EventEmitter } from "node:events";
import { OperationError } from "../core/operation-error.ts";
import { type CallSite, captureCallSite } from "./call-site.ts";
import { runCallback } from "./callbacks.ts";
import { closeBusy } from "./cancel.ts";
import { channels } from "./channels.ts";
import { type Checkout, type CheckoutKind, Checkouts, describeCheckout, type HeldClient } from "./checkouts.ts";
import { Connections, isCurrent, type PoolCounts } from "./connections.ts";
import { requestContext } from "./context.ts";
import { type Deadline, DeadlineError, unlessAborted, withinDeadline } from "./deadline.ts";
import { PoolClosedError } from "./errors.ts";
import { isFatalAtLogin } from "./failures.ts";
import { loginError, starvationError, timeoutError } from "./obtain-errors.ts";
import { Permits } from "./permits.ts";
import { beginWrite } from "./request-session.ts";
import { PasswordChangedError, type ServerClient } from "./server-client.ts";
import type { Server, ServerList } from "./servers/servers.ts";
import { resetStatements, sessionSettings, setupStatements } from "./session.ts";
import type { PoolSettings } from "./settings.ts";

/** Events of a pool. */
export interface PoolEvents {
  /** A client is held longer than `leakThresholdMs`. */
  leak: [HeldClient & { reclaimed: boolean }];
  /** A server lost the role that the pool wants. */
  demoted: [{ host: string; port: number }];
  /** A client was returned while it was in a transaction or running a statement. */
  unfinished: [HeldClient];
}

/** Numbers of a pool at one moment, and since its creation. */
export interface PoolStats extends PoolCounts {
  max: number;
  total: number;
  idle: number;
  used: number;
  waiting: number;
}

/** Time that a server has to end a statement by itself before the pool closes its connection. */
const overdueMs = 5_000;

/**
 * The clients of a pool: lends them, and resets those that are returned. Permits and the list of servers decide who may
 * open a connection, when, and where.
 */
export class PoolCore extends EventEmitter<PoolEvents> {
  readonly settings: PoolSettings;
  readonly connections: Connections;
  readonly checkouts = new Checkouts();
  readonly #permits: Permits<ServerClient>;
  readonly #closing = new AbortController();
  #closed: Promise<HeldClient[]> | undefined;
  /** End of the wait for clients in use, on the clock of `performance.now()`. */
  #closeBy = Number.POSITIVE_INFINITY;

  constructor(settings: PoolSettings) {
    super();
    this.settings = settings;
    this.connections = new Connections(settings, this);
    this.#permits = new Permits(settings.max);
    this.servers.on("demoted", (server) => this.#demoted(server));
  }

  get servers(): ServerList {
    return this.connections.servers;
  }

  get counts(): PoolCounts {
    return this.connections.counts;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Aborts when the pool is being closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  get stats(): PoolStats {
    const { total, idleCount } = this.connections;
    return {
      max: this.settings.max,
      total,
      idle: idleCount,
      used: this.checkouts.all.size,
      waiting: this.#permits.waiting,
      ...this.counts,
    };
  }

  /**
   * Obtains a client.
   *
   * @param site code that asks, for reports
   * @throws PoolTimeoutError, PoolStarvationError, PoolClosedError, ConnectionError, or the signal's reason
   */
  async acquire(
    kind: CheckoutKind,
    signal?: AbortSignal,
    site: CallSite | undefined = kind === "statement" ? undefined : captureCallSite(),
  ): Promise<Checkout> {
    if (this.closed) throw new PoolClosedError();
    signal?.throwIfAborted();
    const started = performance.now();
    const deadline = { at: started + this.settings.connectionTimeoutMs, signal };
    let handed: ServerClient | undefined;
    if (!this.#permits.tryTake()) {
      const own = this.checkouts.ofRequest();
      try {
        handed = await (own.length === 0 ? this.#permits.take(deadline) : this.#waitHolding(own, deadline, site));
      } catch (error) {
        throw this.#explained(error, undefined);
      }
      if (handed !== undefined && !(isCurrent(handed) && !this.closed)) {
        // It was lost, or the pool was closed, on the way from one request to the next.
        this.connections.keep(handed, true);
        handed = undefined;
      }
    }
    const client = handed ?? this.connections.take() ?? (await this.#obtain(deadline));
    return this.#lend(client, kind, site, started);
  }

  /** Obtains a client for a statement if that takes no wait. */
  acquireNow(): Checkout | undefined {
    if (this.closed || !this.#permits.tryTake()) return undefined;
    const client = this.connections.take();
    if (client !== undefined) return this.#lend(client, "statement", undefined, undefined);
    this.#permits.give();
    return undefined;
  }

  #lend(client: ServerClient, kind: CheckoutKind, site: CallSite | undefined, started: number | undefined): Checkout {
    client.idleSince = 0;
    // That of an earlier user would be reported as this one's.
    client.lastText = undefined;
    const checkout = this.checkouts.add(client, kind, site, beginWrite(this));
    if (kind !== "client" && this.settings.queryTimeoutMs > 0)
      checkout.statementLimitMs = this.settings.queryTimeoutMs + overdueMs;
    if (channels.checkout.hasSubscribers) {
      const waitMs = started === undefined ? 0 : performance.now() - started;
      channels.checkout.publish({ pool: this, waitMs, kind, context: checkout.context });
    }
    return checkout;
  }

  /** Waits for a permit in a request that holds clients already. */
  async #waitHolding(
    own: readonly Checkout[],
    deadline: Deadline,
    site: CallSite | undefined,
  ): Promise<ServerClient | undefined> {
    for (const checkout of own) checkout.waiting += 1;
    try {
      if (this.checkouts.starved(this.settings.max)) throw starvationError(this, own, site);
      return await this.#permits.take(deadline);
    } finally {
      for (const checkout of own) checkout.waiting -= 1;
    }
  }

  /** Obtains a client with a permit, and returns the permit if that fails. */
  async #obtain(deadline: Deadline): Promise<ServerClient> {
    let lastError: unknown;
    let abandoned = false;
    try {
      for (;;) {
        if (this.connections.idleCount === 0 && this.servers.choose() === undefined)
          await withinDeadline(deadline, [this.#closing.signal], (signal) =>
            this.servers.available(signal, () => this.connections.idleCount > 0),
          );
        const pending = this.connections.open();
        let client: ServerClient;
        try {
          client =
            this.connections.idleCount > 0
              ? await pending
              : await withinDeadline(deadline, [this.#closing.signal], (signal) => unlessAborted(pending, signal));
        } catch (error) {
          if (error instanceof DeadlineError || error === deadline.signal?.reason || this.closed) {
            // The attempt ends by its own limit. Its permit is free then, and its client is used by others.
            abandoned = true;
            pending
              .then(
                (late) => this.connections.keep(late, false),
                () => {},
              )
              .finally(() => this.#permits.give());
            throw error;
          }
          if (!(error instanceof PasswordChangedError) && isFatalAtLogin(error)) throw error;
          lastError = error;
          if (performance.now() >= deadline.at) throw new DeadlineError("The deadline passed.");
          continue;
        }
        if (this.connections.isFresh(client) || (await this.connections.isGood(client))) return client;
        this.counts.discarded += 1;
        this.connections.keep(client, true);
      }
    } catch (error) {
      if (!abandoned) this.#permits.give();
      throw this.#explained(error, lastError);
    }
  }

  #demoted({ host, port }: Server): void {
    this.report("demoted", { host, port });
    channels.demoted.publish({ pool: this, host, port, context: requestContext() });
  }

  /** Converts an error of waiting or connecting to one for the caller. */
  #explained(error: unknown, lastError: unknown): unknown {
    if (this.closed) return new PoolClosedError();
    if (!(error instanceof DeadlineError)) return loginError(this, error);
    this.counts.timeouts += 1;
    return timeoutError(this, lastError);
  }

  /**
   * Returns a client to the pool. One that is lost, too old or not idle is closed. Does nothing if the client was
   * returned before: a lost one during the COMMIT, or one that was reclaimed.
   */
  giveBack(checkout: Checkout): void {
    if (!this.#endCheckout(checkout)) return;
    const { client } = checkout;
    if (client.settling && client.lost === undefined) {
      const timer = setTimeout(() => client.destroy(), this.settings.hostTimeoutMs);
      void client.ready().then(() => {
        clearTimeout(timer);
        this.#returnClient(client);
      });
      return;
    }
    this.#returnClient(client);
  }

  /** Records the end of a check-out. Returns false if it was recorded before. */
  #endCheckout(checkout: Checkout): boolean {
    if (!this.checkouts.remove(checkout)) return false;
    const { kind, since, context } = checkout;
    if (channels.returned.hasSubscribers)
      channels.returned.publish({ pool: this, useMs: performance.now() - since, kind, context });
    return true;
  }

  #returnClient(client: ServerClient): void {
    if (client.idle) client.restore();
    // Behind a pooler, the next statement may run on another session.
    if (!client.needsReset || this.settings.pooled || !client.idle || this.closed) {
      this.#passOn(client);
      return;
    }
    void this.#reset(client).finally(() => this.#passOn(client));
  }

  /** Hands a client to the first request that waits, or keeps it. */
  #passOn(client: ServerClient): void {
    if (this.#permits.waiting > 0 && client.idle && isCurrent(client)) {
      this.#permits.give(client);
      return;
    }
    this.connections.keep(client, !client.idle);
    this.#permits.give();
  }

  /** Removes what the client's user left in the session. */
  async #reset(client: ServerClient): Promise<void> {
    const timer = setTimeout(() => client.destroy(), this.settings.hostTimeoutMs);
    try {
      const setup = setupStatements(sessionSettings(this.settings, client.serverVersion));
      await client.query(`${resetStatements}; ${setup}`);
      client.needsReset = false;
      client.contextKey = "";
    } catch {
      client.destroy();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes a client that leaked. Its holder's next statement fails. */
  reclaim(checkout: Checkout): void {
    checkout.reclaimed = true;
    this.#endCheckout(checkout);
    this.counts.discarded += 1;
    checkout.client.destroy(heldTooLong());
    this.connections.keep(checkout.client, true);
    this.#permits.give();
  }

  /**
   * Closes the pool: refuses new requests, waits for the clients in use, and closes the rest after the limit.
   *
   * A later call waits for the same end, and can shorten the wait for clients in use.
   *
   * @returns the clients that were not returned in time
   */
  close(timeoutMs: number): Promise<HeldClient[]> {
    this.#closeBy = Math.min(this.#closeBy, performance.now() + timeoutMs);
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<HeldClient[]> {
    this.#closing.abort(new PoolClosedError());
    this.#permits.refuseAll(this.#closing.signal.reason);
    this.servers.close();
    while (this.checkouts.all.size > 0 && performance.now() < this.#closeBy) await pause(10);
    const late = [...this.checkouts.all];
    const held = late.map(describeCheckout);
    await Promise.all(late.map(({ client }) => closeBusy(client, heldTooLong())));
    for (const checkout of [...this.checkouts.all]) this.reclaim(checkout);
    await this.connections.close();
    return held;
  }

  /** Emits an event. An error of a listener becomes a warning. */
  report<Event extends keyof PoolEvents>(event: Event, ...values: PoolEvents[Event]): void {
    for (const listener of this.rawListeners(event) as ((...values: unknown[]) => unknown)[])
      runCallback(`A listener for "${event}" of a pool`, () => listener.apply(this, values));
  }
}

function heldTooLong(): OperationError {
  return new OperationError("The pool closed this client, which was held too long.");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
