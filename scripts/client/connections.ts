import PgPool from "pg-pool";
import { clientConfig } from "../connection/connection.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { channels } from "./channels.ts";
import { requestContext } from "./context.ts";
import { type ClientRuntime, clientClass, type ServerClient } from "./server-client.ts";
import { ServerList } from "./servers/servers.ts";
import { connectionTo } from "./servers/target.ts";
import { sessionSettings, setupStatements } from "./session.ts";
import type { PoolSettings } from "./settings.ts";
import { exactTypes } from "./types-as-text.ts";

/** Numbers of a pool since its creation. */
export interface PoolCounts {
  connectAttempts: number;
  connects: number;
  timeouts: number;
  retries: number;
  leaks: number;
  discarded: number;
}

/** The idle client was closed by the pool: too old, or its server lost its role. */
class EvictedError extends Error {}

/** Time that a server has to answer a test, or the farewell of a client, in ms. */
export const testTimeoutMs = 2_000;

/** Time for which a returned client is lent again without pg-pool, whose bookkeeping costs more than the pool's own. */
const warmMs = 250;

/**
 * The open connections of a pool: opens, tests, keeps and closes them. pg-pool keeps the idle ones; those that were
 * returned a moment ago are in use for it.
 */
export class Connections {
  readonly servers: ServerList;
  readonly counts: PoolCounts = { connectAttempts: 0, connects: 0, timeouts: 0, retries: 0, leaks: 0, discarded: 0 };
  readonly #settings: PoolSettings;
  /** The pool, as the sender of messages. */
  readonly #pool: object;
  readonly #inner: PgPool<ServerClient>;
  readonly #clients = new Set<ServerClient>();
  /** Clients that were returned a moment ago, the latest last. */
  readonly #warm: ServerClient[] = [];
  #cooling: NodeJS.Timeout | undefined;
  readonly #lastPassword: { value?: string } = {};

  constructor(settings: PoolSettings, pool: object) {
    this.#settings = settings;
    this.#pool = pool;
    this.servers = new ServerList({
      hosts: settings.target.hosts,
      target: settings.targetSessionAttrs,
      shuffle: settings.loadBalanceHosts === "random",
    });
    // A wrong mode or a missing CA is reported now, and not at the first connection.
    for (const server of this.servers.servers) this.clientConfig(server);
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
    this.#inner.on("connect", (connected) => {
      const client = connected as unknown as ServerClient;
      this.#clients.add(client);
      client.on("end", () => {
        if (this.#leaveWarm(client)) client.pgPoolRelease(true);
      });
    });
    this.#inner.on("remove", (client) => this.#clients.delete(client as unknown as ServerClient));
    this.servers.on("demoted", (server) => {
      for (const client of this.idle) if (client.server === server) this.evict(client);
    });
  }

  #runtime(): ClientRuntime {
    const settings = this.#settings;
    return {
      servers: this.servers,
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
    const { target, password, allowUnverifiedServers, applicationName } = this.#settings;
    const connection = connectionTo(server, target, allowUnverifiedServers);
    const readPassword =
      typeof password !== "function"
        ? password
        : async () => {
            const value = await password();
            if (typeof value !== "string") throw passwordTypeError(value);
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

  get total(): number {
    return this.#inner.totalCount;
  }

  get idleCount(): number {
    return this.#inner.idleCount + this.#warm.length;
  }

  /** Returns the idle clients. */
  get idle(): ServerClient[] {
    return [...this.#clients].filter(({ idleSince }) => idleSince !== 0);
  }

  /** Returns a client that was used a moment ago, without any wait. */
  take(): ServerClient | undefined {
    const client = this.#warm.at(-1);
    if (client === undefined || !this.isFresh(client)) return undefined;
    this.#warm.pop();
    return client;
  }

  /** Returns an idle client, or connects one. */
  open(): Promise<ServerClient> {
    const warm = this.#warm.pop();
    if (warm !== undefined) return Promise.resolve(warm);
    const attempts = this.counts.connectAttempts;
    const started = channels.connect.hasSubscribers ? performance.now() : 0;
    const context = channels.connect.hasSubscribers ? requestContext() : undefined;
    // With a callback, pg-pool makes no promises of its own.
    return new Promise((resolve, reject) => {
      this.#inner.connect((error, found, release) => {
        const client = found as ServerClient | undefined;
        if (error || client === undefined || release === undefined) {
          reject(error);
          return;
        }
        client.pgPoolRelease = release;
        if (client.idleSince === 0) {
          this.counts.connects += 1;
          if (channels.connect.hasSubscribers && this.counts.connectAttempts > attempts)
            channels.connect.publish({
              pool: this.#pool,
              host: client.server?.host,
              port: client.server?.port,
              createMs: performance.now() - started,
              context,
            });
        }
        resolve(client);
      });
    });
  }

  /** Returns true if a client that {@link open} returned was used a moment ago. */
  isFresh(client: ServerClient): boolean {
    const { idleSince } = client;
    const fresh = idleSince === 0 || performance.now() - idleSince < this.#settings.checkIdleAfterMs;
    return fresh && isCurrent(client);
  }

  /** Tests a client that {@link open} returned, by a message to the server if it was idle for long. */
  async isGood(client: ServerClient): Promise<boolean> {
    if (this.isFresh(client)) return true;
    if (!isCurrent(client)) return false;
    const { idleSince } = client;
    const timer = setTimeout(() => client.destroy(), Math.min(testTimeoutMs, this.#settings.hostTimeoutMs));
    try {
      await client.query("");
      return isCurrent(client);
    } catch {
      // Whatever broke this connection broke those that were idle meanwhile.
      for (const other of this.idle)
        if (other !== client && other.server === client.server && other.idleSince <= idleSince) this.evict(other);
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes an idle client. */
  evict(client: ServerClient): void {
    this.counts.discarded += 1;
    if (this.#leaveWarm(client)) client.pgPoolRelease(true);
    // An error event is the way in which pg-pool learns that an idle client is gone.
    else client.emit("error", new EvictedError("The pool closed this idle client."));
    // A frozen server does not answer the farewell.
    setTimeout(() => client.destroy(), testTimeoutMs).unref();
  }

  /** Keeps a client for its next use. Closes one that is lost, too old or to discard, and all after the pool's end. */
  keep(client: ServerClient, discard: boolean): void {
    client.idleSince = performance.now();
    const gone = discard || !isCurrent(client) || this.servers.closed;
    // A client that is not idle cannot say farewell: its statement would run on.
    if (gone && !client.idle) client.destroy();
    if (gone) client.pgPoolRelease(true);
    else {
      this.#warm.push(client);
      this.#cooling ??= setTimeout(() => this.#cool(), warmMs).unref();
    }
    // Whoever waits for a server can use this client instead.
    if (!gone && this.servers.listenerCount("change") > 0) this.servers.emit("change");
  }

  /** Gives clients without use to pg-pool, which closes them after its idle timeout. */
  #cool(): void {
    const limit = performance.now() - warmMs;
    while (this.#warm[0] !== undefined && this.#warm[0].idleSince <= limit) this.#warm.shift()?.pgPoolRelease(false);
    this.#cooling = this.#warm.length === 0 ? undefined : setTimeout(() => this.#cool(), warmMs).unref();
  }

  #leaveWarm(client: ServerClient): boolean {
    const index = this.#warm.indexOf(client);
    if (index >= 0) this.#warm.splice(index, 1);
    return index >= 0;
  }

  /** Closes all connections. Each one has to be idle. */
  async close(): Promise<void> {
    clearTimeout(this.#cooling);
    this.#cooling = undefined;
    for (const client of this.#warm.splice(0)) client.pgPoolRelease(true);
    const ended = this.#inner.end();
    const late = setTimeout(() => {
      for (const client of this.#clients) client.destroy();
    }, testTimeoutMs);
    await ended;
    // pg-pool counts its clients and does not wait for their sockets.
    while (this.#clients.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    clearTimeout(late);
  }
}

/** Creates the error of a password function that TypeScript did not check. */
function passwordTypeError(value: unknown): OperationError {
  const kind = value === null ? "null" : typeof value;
  return new OperationError(`The pool's password function returned a value of the type ${kind}.`, {
    hint: "Return the password as a string, or a promise of it.",
    exitCode: exitCode.usage,
  });
}

/** Returns true if the client can be used further. */
export function isCurrent(client: ServerClient): boolean {
  return (
    client.lost === undefined && client.generation === client.server?.generation && performance.now() < client.expiresAt
  );
}
