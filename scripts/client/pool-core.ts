import { EventEmitter } from "node:events";
import PgPool from "pg-pool";
import { clientConfig, describeConnection } from "../connection/connection.ts";
import { connectionError } from "../connection/connection-error.ts";
import { OperationError } from "../core/operation-error.ts";
import { type CallSite, captureCallSite } from "./call-site.ts";
import { channels } from "./channels.ts";
import { type Checkout, type CheckoutKind, Checkouts, describeCheckout, type HeldClient } from "./checkouts.ts";
import { requestContext } from "./context.ts";
import { type Deadline, DeadlineError, unlessAborted, withinDeadline } from "./deadline.ts";
import { codeOf, PoolClosedError, PoolStarvationError, PoolTimeoutError } from "./errors.ts";
import { isFatalAtLogin } from "./failures.ts";
import { Permits } from "./permits.ts";
import { type ClientRuntime, clientClass, PasswordChangedError, type ServerClient } from "./server-client.ts";
import { type Server, ServerList } from "./servers.ts";
import { resetStatements, sessionSettings, setupStatements } from "./session.ts";
import type { PoolSettings } from "./settings.ts";
import { connectionTo } from "./target.ts";
import { exactTypes } from "./types-as-text.ts";

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
export interface PoolStats {
  max: number;
  total: number;
  idle: number;
  used: number;
  waiting: number;
  connectAttempts: number;
  connects: number;
  timeouts: number;
  retries: number;
  leaks: number;
  discarded: number;
}

/** The idle client was closed by the pool: too old, or its server lost its role. */
class EvictedError extends Error {}

/** Reports what the pool waits for. */
const testTimeoutMs = 2_000;

/**
 * The clients of a pool: obtains, tests, resets and returns them. pg-pool keeps the idle ones; permits and a list of
 * servers decide who may open one, when, and where.
 */
export class PoolCore extends EventEmitter<PoolEvents> {
  readonly settings: PoolSettings;
  readonly servers: ServerList;
  readonly checkouts = new Checkouts();
  readonly counts = { connectAttempts: 0, connects: 0, timeouts: 0, retries: 0, leaks: 0, discarded: 0 };
  readonly #permits: Permits;
  readonly #inner: PgPool<ServerClient>;
  readonly #clients = new Set<ServerClient>();
  readonly #closing = new AbortController();
  readonly #lastPassword: { value?: string } = {};

  constructor(settings: PoolSettings) {
    super();
    this.settings = settings;
    this.servers = new ServerList({
      hosts: settings.target.hosts,
      target: settings.targetSessionAttrs,
      shuffle: settings.loadBalanceHosts === "random",
    });
    // A wrong mode or a missing CA is reported now, and not at the first connection.
    for (const server of this.servers.servers) this.clientConfig(server);
    this.#permits = new Permits(settings.max);
    this.#inner = new PgPool({
      // pg-pool's types want a client without type parameters.
      Client: clientClass(this.#runtime()) as never,
      max: settings.max,
      min: settings.min,
      idleTimeoutMillis: settings.idleTimeoutMs,
      allowExitOnIdle: true,
    } as never) as unknown as PgPool<ServerClient>;
    // The client is gone, and pg-pool has removed it. Whoever needs one gets another.
    this.#inner.on("error", () => {});
    this.#inner.on("connect", (client) => this.#clients.add(client as unknown as ServerClient));
    this.#inner.on("remove", (client) => this.#clients.delete(client as unknown as ServerClient));
    this.servers.on("demoted", (server) => this.#demoted(server));
  }

  #runtime(): ClientRuntime {
    const { settings, servers } = this;
    return {
      servers,
      hostTimeoutMs: settings.hostTimeoutMs,
      config: (server) => {
        this.counts.connectAttempts += 1;
        return this.clientConfig(server);
      },
      // Behind a pooler, settings would stay on a session that another client gets next.
      setup: (version) => (settings.pooled ? "" : setupStatements(sessionSettings(settings, version))),
      passwordChanged: async () => {
        if (typeof settings.password !== "function") return false;
        return (await settings.password()) !== this.#lastPassword.value;
      },
      lifetimeMs: () => (settings.maxLifetimeMs || Number.POSITIVE_INFINITY) * (1 - Math.random() / 10),
    };
  }

  /** Returns the driver's settings for a connection to one of the servers. */
  clientConfig(server: { host: string; port: number }) {
    const { target, password, allowUnverifiedServers, applicationName } = this.settings;
    const connection = connectionTo(server, target, allowUnverifiedServers);
    const readPassword =
      typeof password !== "function"
        ? password
        : async () => {
            const value = await password();
            this.#lastPassword.value = value;
            return value;
          };
    return {
      ...clientConfig(connection, applicationName),
      // The pool has its own limit, which also covers the statements after the login.
      connectionTimeoutMillis: 0,
      password: readPassword,
      types: exactTypes,
    };
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Aborts when the pool is being closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  get stats(): PoolStats {
    const { totalCount, idleCount } = this.#inner;
    return {
      max: this.settings.max,
      total: totalCount,
      idle: idleCount,
      used: this.checkouts.all.size,
      waiting: this.#permits.waiting,
      ...this.counts,
    };
  }

  /** Returns the clients that nobody uses. */
  get idleClients(): ServerClient[] {
    const used = new Set([...this.checkouts.all].map(({ client }) => client));
    return [...this.#clients].filter((client) => !used.has(client) && client.idleSince !== 0);
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
    if (!this.#permits.tryTake()) await this.#waitForPermit(deadline, site);
    const client = await this.#obtain(deadline);
    client.idleSince = 0;
    const checkout = this.checkouts.add(client, kind, site);
    if (kind !== "client" && this.settings.queryTimeoutMs > 0)
      checkout.statementLimitMs = this.settings.queryTimeoutMs + overdueMs;
    if (channels.checkout.hasSubscribers)
      channels.checkout.publish({ pool: this, waitMs: performance.now() - started, kind, context: requestContext() });
    return checkout;
  }

  async #waitForPermit(deadline: Deadline, site: CallSite | undefined): Promise<void> {
    const own = this.checkouts.ofRequest();
    for (const checkout of own) checkout.waiting += 1;
    try {
      if (own.length > 0 && this.checkouts.starved(this.settings.max)) throw this.#starvation(own, site);
      await withinDeadline(deadline, [this.#closing.signal], (signal) => this.#permits.take(signal));
    } catch (error) {
      throw this.#explained(error, undefined);
    } finally {
      for (const checkout of own) checkout.waiting -= 1;
    }
  }

  #starvation(own: readonly Checkout[], site: CallSite | undefined): PoolStarvationError {
    const { max } = this.settings;
    const asking =
      site === undefined ? "" : ` (asked for by ${describeCheckout({ ...own[0], site } as Checkout).takenAt})`;
    return new PoolStarvationError(
      [
        `All ${max} clients of the pool are held by requests that wait for another one${asking}:`,
        ...this.checkouts.describe().map((each) => `- ${each}`),
      ].join("\n"),
      { hint: "Use the client that the request already holds, or raise `max` above the number of such requests." },
    );
  }

  /** Obtains a client with a permit, and returns the permit if that fails. */
  async #obtain(deadline: Deadline): Promise<ServerClient> {
    let lastError: unknown;
    let abandoned = false;
    try {
      for (;;) {
        if (this.#inner.idleCount === 0 && this.servers.choose() === undefined)
          await withinDeadline(deadline, [this.#closing.signal], (signal) =>
            this.servers.available(signal, () => this.#inner.idleCount > 0),
          );
        const pending = this.#connected();
        let client: ServerClient;
        try {
          client =
            this.#inner.idleCount > 0
              ? await pending
              : await withinDeadline(deadline, [this.#closing.signal], (signal) => unlessAborted(pending, signal));
        } catch (error) {
          if (error instanceof DeadlineError || error === deadline.signal?.reason || this.closed) {
            // The attempt ends by its own limit. Its permit is free then, and its client is used by others.
            abandoned = true;
            pending
              .then(
                (late) => this.#giveToInner(late, false),
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
        if (await this.#isGood(client)) return client;
        this.counts.discarded += 1;
        this.#giveToInner(client, true);
      }
    } catch (error) {
      if (!abandoned) this.#permits.give();
      throw this.#explained(error, lastError);
    }
  }

  async #connected(): Promise<ServerClient> {
    const before = this.counts.connectAttempts;
    const started = performance.now();
    const client = (await this.#inner.connect()) as ServerClient & { release: (discard: boolean) => void };
    client.pgPoolRelease = client.release;
    if (client.idleSince === 0) {
      this.counts.connects += 1;
      if (channels.connect.hasSubscribers && this.counts.connectAttempts > before)
        channels.connect.publish({
          pool: this,
          host: client.server?.host,
          port: client.server?.port,
          createMs: performance.now() - started,
        });
    }
    return client;
  }

  /** Tests a client that pg-pool returned. */
  async #isGood(client: ServerClient): Promise<boolean> {
    if (!this.#isCurrent(client)) return false;
    const { idleSince } = client;
    if (idleSince === 0 || performance.now() - idleSince < this.settings.checkIdleAfterMs) return true;
    const timer = setTimeout(() => client.destroy(), Math.min(testTimeoutMs, this.settings.hostTimeoutMs));
    try {
      await client.query("");
      return this.#isCurrent(client);
    } catch {
      // Whatever broke this connection broke those that were idle meanwhile.
      for (const other of this.idleClients)
        if (other !== client && other.server === client.server && other.idleSince <= idleSince) this.evict(other);
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  #isCurrent(client: ServerClient): boolean {
    return (
      client.lost === undefined &&
      client.generation === client.server?.generation &&
      performance.now() < client.expiresAt
    );
  }

  /** Closes an idle client. An error event is the way in which pg-pool learns that one is gone. */
  evict(client: ServerClient): void {
    this.counts.discarded += 1;
    client.emit("error", new EvictedError("The pool closed this idle client."));
    // A frozen server does not answer the farewell.
    setTimeout(() => client.destroy(), testTimeoutMs).unref();
  }

  #demoted(server: Server): void {
    for (const client of this.idleClients) if (client.server === server) this.evict(client);
    const { host, port } = server;
    this.emit("demoted", { host, port });
    channels.demoted.publish({ pool: this, host, port });
  }

  /** Converts an error of waiting or connecting to one for the caller. */
  #explained(error: unknown, lastError: unknown): unknown {
    if (this.closed) return new PoolClosedError();
    if (error instanceof OperationError) return error;
    if (error instanceof DeadlineError) return this.#timeout(lastError);
    if (codeOf(error) === "" && !isFatalAtLogin(error)) return error;
    const [server = { host: "", port: 0 }] = this.servers.servers.filter(({ lastError: last }) => last === error);
    return connectionError(connectionTo(server, this.settings.target, true), error);
  }

  #timeout(lastError: unknown): PoolTimeoutError {
    this.counts.timeouts += 1;
    const { connectionTimeoutMs, target, max } = this.settings;
    const failing = this.servers.servers.some(({ failures }) => failures > 0);
    const [first = { host: "", port: 0 }] = target.hosts;
    const to = describeConnection(connectionTo(first, target, true));
    if (failing || lastError !== undefined)
      return new PoolTimeoutError(
        `Cannot connect to ${to} within ${connectionTimeoutMs} ms: ${this.servers.describe()}.`,
        {
          hint: "Start the server, or correct host and port. The pool tries again with each request.",
          cause: lastError,
        },
      );
    return new PoolTimeoutError(
      [
        `No client of the pool was free within ${connectionTimeoutMs} ms (${max} of ${max} in use):`,
        ...this.checkouts.describe().map((each) => `- ${each}`),
      ].join("\n"),
      { hint: "Return clients earlier, shorten the statements, or raise `max`." },
    );
  }

  /** Returns a client to the pool. One that is lost, too old or not idle is closed. */
  giveBack(checkout: Checkout): void {
    const { client, kind, since } = checkout;
    this.checkouts.remove(checkout);
    if (channels.returned.hasSubscribers)
      channels.returned.publish({ pool: this, useMs: performance.now() - since, kind });
    if (checkout.reclaimed) return;
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

  #returnClient(client: ServerClient): void {
    // Behind a pooler, the next statement may run on another session.
    if (!client.needsReset || this.settings.pooled || !client.idle || this.closed) {
      this.#giveToInner(client, !client.idle);
      this.#permits.give();
      return;
    }
    void this.#reset(client).finally(() => this.#permits.give());
  }

  /** Removes what the client's user left in the session, and returns it. */
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
      this.#giveToInner(client, !client.idle);
    }
  }

  #giveToInner(client: ServerClient, discard: boolean): void {
    client.idleSince = performance.now();
    const gone = discard || !this.#isCurrent(client);
    // A client that is not idle cannot say farewell: its statement would run on.
    if (gone && !client.idle) client.destroy();
    client.pgPoolRelease(gone);
    // Whoever waits for a server can use this client instead.
    if (!gone && this.servers.listenerCount("change") > 0) this.servers.emit("change");
  }

  /** Closes a client that leaked. Its holder's next statement fails. */
  reclaim(checkout: Checkout): void {
    checkout.reclaimed = true;
    this.checkouts.remove(checkout);
    this.counts.discarded += 1;
    checkout.client.destroy(new OperationError("The pool closed this client, which was held too long."));
    this.#giveToInner(checkout.client, true);
    this.#permits.give();
  }

  /**
   * Closes the pool: refuses new requests, waits for the clients in use, and closes the rest after the limit.
   *
   * @returns the clients that were not returned in time
   */
  async close(timeoutMs: number): Promise<HeldClient[]> {
    if (this.closed) return [];
    this.#closing.abort(new PoolClosedError());
    this.servers.close();
    const deadline = performance.now() + timeoutMs;
    while (this.checkouts.all.size > 0 && performance.now() < deadline) await pause(10);
    const held = [...this.checkouts.all].map(describeCheckout);
    for (const checkout of [...this.checkouts.all]) this.reclaim(checkout);
    const ended = this.#inner.end();
    const late = setTimeout(() => {
      for (const client of this.#clients) client.destroy();
    }, testTimeoutMs);
    await ended;
    // pg-pool counts its clients and does not wait for their sockets.
    while (this.#clients.size > 0) await pause(5);
    clearTimeout(late);
    return held;
  }
}

/** Time that a server has to end a statement by itself before the pool closes its connection. */
const overdueMs = 5_000;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
