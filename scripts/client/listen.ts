import pg from "pg";
import { withinDeadline } from "./deadline.ts";
import type { PoolCore } from "./pool-core.ts";
import { matchesTarget, roleQuery, type SessionRole } from "./servers/role.ts";

/** Callbacks of a subscription. */
export interface SubscriptionOptions {
  onNotification: (payload: string, channel: string) => void;
  /** Called each time that the subscription begins, also after a lost connection. Read what was missed. */
  onConnect?: () => void;
  onError?: (error: unknown) => void;
}

/** A subscription to a channel. */
export interface Subscription {
  stop(): Promise<void>;
}

/** Interval at which the connection is tested: nothing else shows that a peer is gone. */
const testIntervalMs = 10_000;
const answerTimeoutMs = 5_000;

/** One connection outside the pool for all subscriptions. It connects again when it is lost. */
export class Listener {
  readonly #core: PoolCore;
  readonly #subscriptions = new Map<string, Set<SubscriptionOptions>>();
  readonly #stopped = new AbortController();
  #client: pg.Client | undefined;
  #running: Promise<void> | undefined;
  /** The additions of subscriptions, one after the other: the first one connects. */
  #adding: Promise<void> = Promise.resolve();

  constructor(core: PoolCore) {
    this.#core = core;
  }

  /** Adds a subscription, and waits until it is in effect. */
  async subscribe(channel: string, options: SubscriptionOptions): Promise<Subscription> {
    const added = this.#adding.then(() => this.#add(channel, options));
    this.#adding = added.catch(() => {});
    await added;
    return {
      stop: async () => {
        const subscribers = this.#subscriptions.get(channel);
        subscribers?.delete(options);
        if (subscribers?.size !== 0) return;
        this.#subscriptions.delete(channel);
        await this.#client?.query(`unlisten ${pg.escapeIdentifier(channel)}`).catch(() => {});
      },
    };
  }

  async #add(channel: string, options: SubscriptionOptions): Promise<void> {
    const subscribers = this.#subscriptions.get(channel) ?? new Set();
    this.#subscriptions.set(channel, subscribers.add(options));
    try {
      if (this.#running === undefined) return await this.#begin();
      const client = this.#client;
      // While it connects again, the channel is one of those that it will listen to.
      if (client === undefined) return;
      await client.query(`listen ${pg.escapeIdentifier(channel)}`);
      if (this.#client === client) options.onConnect?.();
    } catch (error) {
      subscribers.delete(options);
      if (subscribers.size === 0) this.#subscriptions.delete(channel);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  /** Connects the first time, and keeps the connection alive in the background. */
  async #begin(): Promise<void> {
    const { lost } = await this.#connect();
    this.#running = this.#keepConnected(lost);
  }

  async #keepConnected(first: Promise<unknown>): Promise<void> {
    const { signal } = this.#stopped;
    for (let lost = first; !signal.aborted; ) {
      const error = await lost;
      this.#client?.end().catch(() => {});
      this.#client = undefined;
      if (signal.aborted) return;
      this.#tell(({ onError }) => onError?.(error));
      while (!signal.aborted) {
        try {
          ({ lost } = await this.#connect());
          break;
        } catch (failure) {
          this.#tell(({ onError }) => onError?.(failure));
        }
      }
    }
  }

  /** Opens the connection. `lost` is a promise of the error that ends it. */
  async #connect(): Promise<{ lost: Promise<unknown> }> {
    const { servers, settings } = this.#core;
    const { signal } = this.#stopped;
    const at = performance.now() + settings.connectionTimeoutMs;
    for (;;) {
      await withinDeadline({ at, signal }, [], (until) => servers.available(until));
      const server = servers.choose();
      if (server === undefined) continue;
      servers.began(server);
      const client = new pg.Client({
        ...this.#core.connections.clientConfig(server),
        connectionTimeoutMillis: settings.hostTimeoutMs,
        query_timeout: answerTimeoutMs,
      });
      const lost = new Promise<unknown>((resolve) => {
        client.on("error", resolve);
        client.on("end", () => resolve(new Error("Connection terminated")));
        signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
      });
      try {
        await client.connect();
        const { rows } = await client.query<SessionRole & Record<string, unknown>>(roleQuery);
        const role = rows[0] ?? { standby: false, readOnly: false };
        servers.succeeded(server, role);
        if (!matchesTarget(role, servers.target) && servers.target !== "prefer-standby") {
          client.end().catch(() => {});
          continue;
        }
        client.on("notification", ({ channel, payload }) => {
          for (const { onNotification } of this.#subscriptions.get(channel) ?? [])
            onNotification(payload ?? "", channel);
        });
        for (const channel of this.#subscriptions.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
        this.#client = client;
        this.#test(client);
        this.#tell(({ onConnect }) => onConnect?.());
        return { lost };
      } catch (error) {
        servers.failed(server, error);
        client.end().catch(() => {});
        if (performance.now() > at) throw error;
      }
    }
  }

  /** Ends a connection whose peer does not answer. */
  #test(client: pg.Client): void {
    const timer = setInterval(() => {
      client.query("").catch(() => {
        (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
      });
    }, testIntervalMs);
    timer.unref();
    client.on("end", () => clearInterval(timer));
  }

  #tell(call: (options: SubscriptionOptions) => void): void {
    for (const subscribers of this.#subscriptions.values()) for (const each of subscribers) call(each);
  }
}
