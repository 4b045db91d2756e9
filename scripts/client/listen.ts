import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { destroySocket } from "../connection/session.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { runCallback } from "./callbacks.ts";
import { testTimeoutMs } from "./connections.ts";
import { DeadlineError, withinDeadline } from "./deadline.ts";
import { PoolClosedError } from "./errors.ts";
import { isFatalAtLogin } from "./failures.ts";
import { loginError, timeoutError } from "./obtain-errors.ts";
import type { PoolCore } from "./pool-core.ts";
import { askRole, matchesTarget, type SessionRole } from "./servers/role.ts";
import type { Server } from "./servers/servers.ts";

/** Callbacks of a subscription. An error that one of them throws becomes a warning of the process. */
export interface SubscriptionOptions {
  onNotification: (payload: string, channel: string) => void;
  /** Called each time that the subscription begins, also after a lost connection. Read what was missed. */
  onConnect?: () => void;
  /** Called when the connection is lost, and for each attempt to connect again that failed. */
  onError?: (error: unknown) => void;
}

/** A subscription to a channel. */
export interface Subscription {
  stop(): Promise<void>;
}

/** One call of `listen`. The same options may be used for several. */
interface Subscriber {
  options: SubscriptionOptions;
}

/** An open connection. `lost` is a promise of the error that ends it. */
interface Connected {
  client: pg.Client;
  lost: Promise<unknown>;
}

/** Interval at which the connection is tested: nothing else shows that a peer is gone. */
const testIntervalMs = 10_000;
const answerTimeoutMs = 5_000;

/** Pause after an attempt to connect again was refused. */
const refusedPauseMs = 1_000;

/** Longest name of a channel: LISTEN cuts off the rest, and NOTIFY refuses it. */
const maxChannelBytes = 63;

/** One connection outside the pool for all subscriptions. It connects again when it is lost. */
export class Listener {
  readonly #core: PoolCore;
  readonly #subscriptions = new Map<string, Set<Subscriber>>();
  readonly #stopped = new AbortController();
  #client: pg.Client | undefined;
  #running: Promise<void> | undefined;
  /** The additions of subscriptions, one after the other: the first one connects. */
  #adding: Promise<void> = Promise.resolve();

  constructor(core: PoolCore) {
    this.#core = core;
  }

  /**
   * Adds a subscription, and waits until it is in effect.
   *
   * @throws PoolClosedError, PoolTimeoutError, ConnectionError, or OperationError (wrong usage)
   */
  async subscribe(channel: string, options: SubscriptionOptions): Promise<Subscription> {
    if (this.#core.closed || this.#stopped.signal.aborted) throw new PoolClosedError();
    requireChannel(channel, this.#core.settings);
    const subscriber = { options };
    const added = this.#adding.then(() => this.#add(channel, subscriber));
    this.#adding = added.catch(() => {});
    await added;
    return {
      stop: async () => {
        const subscribers = this.#subscriptions.get(channel);
        if (!subscribers?.delete(subscriber) || subscribers.size > 0) return;
        this.#subscriptions.delete(channel);
        await this.#client?.query(`unlisten ${pg.escapeIdentifier(channel)}`).catch(() => {});
      },
    };
  }

  async #add(channel: string, subscriber: Subscriber): Promise<void> {
    this.#stopped.signal.throwIfAborted();
    const subscribers = this.#subscriptions.get(channel) ?? new Set();
    this.#subscriptions.set(channel, subscribers.add(subscriber));
    try {
      if (this.#running === undefined) {
        this.#running = this.#keepConnected(await this.#connect());
        return;
      }
      const client = this.#client;
      // While it connects again, the channel is one of those that it will listen to.
      if (client === undefined) return;
      await client.query(`listen ${pg.escapeIdentifier(channel)}`);
      if (this.#client === client) connected(subscriber);
    } catch (error) {
      subscribers.delete(subscriber);
      if (subscribers.size === 0) this.#subscriptions.delete(channel);
      this.#stopped.signal.throwIfAborted();
      throw error;
    }
  }

  /** Ends all subscriptions. Resolves when the connection is closed, also one that is being opened. */
  async close(): Promise<void> {
    this.#stopped.abort(new PoolClosedError());
    await this.#adding;
    await this.#running;
  }

  async #keepConnected(first: Connected): Promise<void> {
    const { signal } = this.#stopped;
    for (let current: Connected | undefined = first; current !== undefined; current = await this.#connectAgain()) {
      const error = await current.lost;
      this.#client = undefined;
      const ended = end(current.client);
      if (signal.aborted) return ended;
      this.#tellError(error);
    }
  }

  /** Connects again. Returns undefined when the subscriptions end. */
  async #connectAgain(): Promise<Connected | undefined> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        return await this.#connect();
      } catch (error) {
        if (signal.aborted) break;
        this.#tellError(error);
        await sleep(refusedPauseMs, undefined, { signal }).catch(() => {});
      }
    }
    return undefined;
  }

  /** Opens the connection, and listens to all channels. */
  async #connect(): Promise<Connected> {
    const { servers, settings } = this.#core;
    const { signal } = this.#stopped;
    const at = performance.now() + settings.connectionTimeoutMs;
    let lastError: unknown;
    for (;;) {
      try {
        await withinDeadline({ at, signal }, [], (until) => servers.available(until));
      } catch (error) {
        throw error instanceof DeadlineError ? timeoutError(this.#core, lastError ?? error) : error;
      }
      const server = servers.choose();
      if (server === undefined) continue;
      let opened: Connected | undefined;
      try {
        opened = await this.#open(server);
      } catch (error) {
        signal.throwIfAborted();
        if (isFatalAtLogin(error)) throw loginError(this.#core, error);
        lastError = error;
      }
      if (opened === undefined) continue;
      try {
        return await this.#listenOn(opened);
      } catch (error) {
        signal.throwIfAborted();
        // The server refused a channel.
        if (isFatalAtLogin(error)) throw error;
        servers.began(server);
        servers.failed(server, error);
        lastError = error;
      }
    }
  }

  /** Logs in. Returns undefined if the server has another role than wanted. */
  async #open(server: Server): Promise<Connected | undefined> {
    const { servers, settings, connections } = this.#core;
    const { signal } = this.#stopped;
    servers.began(server);
    const client = new pg.Client({
      ...connections.clientConfig(server),
      connectionTimeoutMillis: settings.hostTimeoutMs,
      query_timeout: answerTimeoutMs,
    });
    let lose = (_: unknown) => {};
    const lost = new Promise<unknown>((resolve) => {
      lose = resolve;
    });
    // The driver does not settle the connect() of a client that is told to end.
    let stop = () => destroySocket(client);
    const stopped = () => stop();
    signal.addEventListener("abort", stopped, { once: true });
    client.on("error", lose);
    client.on("end", () => {
      signal.removeEventListener("abort", stopped);
      lose(new Error("Connection terminated"));
    });
    let role: SessionRole;
    try {
      await client.connect();
      role = await askRole(client);
    } catch (error) {
      servers.failed(server, error);
      void end(client);
      throw error;
    }
    stop = () => lose(signal.reason);
    if (signal.aborted) stop();
    servers.succeeded(server, role);
    if (matchesTarget(role, servers.target) || servers.target === "prefer-standby") return { client, lost };
    void end(client);
    return undefined;
  }

  async #listenOn(opened: Connected): Promise<Connected> {
    const { client } = opened;
    const { signal } = this.#stopped;
    client.on("notification", ({ channel, payload }) => {
      if (signal.aborted) return;
      for (const { options } of this.#subscriptions.get(channel) ?? [])
        runCallback("onNotification of a subscription", () => options.onNotification(payload ?? "", channel));
    });
    try {
      for (const channel of this.#subscriptions.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
      signal.throwIfAborted();
    } catch (error) {
      await end(client);
      throw error;
    }
    this.#client = client;
    test(client);
    for (const subscribers of this.#subscriptions.values()) for (const each of subscribers) connected(each);
    return opened;
  }

  #tellError(error: unknown): void {
    for (const subscribers of this.#subscriptions.values())
      for (const { options } of subscribers) runCallback("onError of a subscription", () => options.onError?.(error));
  }
}

/** Refuses a channel on which nothing would arrive. */
function requireChannel(channel: string, { pooled }: { pooled: boolean }): void {
  const usage = (message: string, hint: string) => new OperationError(message, { hint, exitCode: exitCode.usage });
  const bytes = Buffer.byteLength(channel);
  if (bytes > maxChannelBytes)
    throw usage(
      `The name of the channel "${channel}" has ${bytes} bytes, more than ${maxChannelBytes}.`,
      "NOTIFY refuses such a name. Use a shorter one.",
    );
  if (pooled)
    throw usage(
      "A pooler in transaction mode does not pass notifications on.",
      "Create a pool of the server itself for listen(), without `pooled`.",
    );
}

function connected({ options }: Subscriber): void {
  runCallback("onConnect of a subscription", () => options.onConnect?.());
}

/** Ends a connection whose peer does not answer. */
function test(client: pg.Client): void {
  const timer = setInterval(() => {
    client.query("").catch(() => destroySocket(client));
  }, testIntervalMs);
  timer.unref();
  client.on("end", () => clearInterval(timer));
}

/** Closes a connection. Resolves when the socket is closed. */
async function end(client: pg.Client): Promise<void> {
  const timer = setTimeout(() => destroySocket(client), testTimeoutMs);
  await client.end().catch(() => {});
  clearTimeout(timer);
}
