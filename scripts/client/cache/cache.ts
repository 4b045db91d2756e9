import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import type { QueryResultRow } from "pg";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { cacheChannel, cachedTableName } from "../../model/cache-changes.ts";
import { runCallback } from "../callbacks.ts";
import { type RequestContext, requestContext, withOnlyContext } from "../context.ts";
import { unlessAborted } from "../deadline.ts";
import { PoolClosedError } from "../errors.ts";
import { deepFreeze } from "../freeze.ts";
import type { Subscription } from "../listen.ts";
import { Pool } from "../pool.ts";
import type { PoolTarget } from "../servers/target.ts";
import { poolSettings } from "../settings.ts";
import { statementKey } from "./cache-key.ts";
import { requireCacheTriggers } from "./cache-triggers.ts";

/** Options of {@link createCache}. */
export interface CacheOptions {
  /** Tables that results come from, such as `items` or `sales.items`. `pgw migrate cache-triggers` prepares them. */
  tables: readonly string[];
  /** A result is at most this old. Default: 60,000. */
  ttlMs?: number;
  /** Results that are kept; the least used ones go first. Default: 1,000. */
  maxEntries?: number;
  /** The server itself, for LISTEN, if the pool's connections go through a pooler. */
  direct?: string | PoolTarget;
  /** Called when the subscription is lost or cannot be checked. Nothing is served from the cache then. */
  onError?: (error: unknown) => void;
}

/** Conditions of one read. */
export interface CacheRead {
  /** The tables that this result comes from. Default: all of the cache. */
  tables?: readonly string[];
  /** The result is at most this old. Default: that of the cache. */
  ttlMs?: number;
  /**
   * Parts of the request's context on which the result depends. Others are not set when it is read. Default: none, so
   * every user gets the same.
   */
  vary?: readonly (keyof RequestContext)[];
  /** Ends this wait, and not the read itself, for which others may wait. */
  signal?: AbortSignal;
}

/** A statement that changes nothing, and the conditions of its read. */
export interface CachedStatement extends CacheRead {
  text: string;
  values?: readonly unknown[];
  /** Prepares the statement once for each client. */
  prepare?: boolean;
}

/** Numbers of a cache at one moment, and since its creation. */
export interface CacheStats {
  entries: number;
  hits: number;
  /** Reads that waited for the read of another caller. */
  joined: number;
  misses: number;
  /** Changes of tables that were reported. */
  changes: number;
  /** Changes are being reported. If false, each read goes to the database. */
  listening: boolean;
}

interface Entry {
  tables: readonly string[];
  /** Beginning of the read, on the clock of `performance.now()`. The result is at least as new. */
  startedAt: number;
  /** Number of the last change that was known then. */
  change: number;
  value: unknown;
}

/** Pause before the triggers are checked again, in ms. */
const checkAgainMs = 1_000;

/**
 * Creates a cache for results of a pool's reads, and waits until changes are reported to it.
 *
 * A result is never older than `ttlMs`. A read that begins after a change was reported never returns an older result.
 * Statements on standbys cannot be cached.
 *
 * @throws OperationError if a table has no trigger, or if the pool does not read from one primary; or the pool's error
 */
export async function createCache(pool: Pool, options: CacheOptions): Promise<ResultCache> {
  const cache = new ResultCache(pool, options);
  try {
    await cache.start();
    return cache;
  } catch (error) {
    await cache.close();
    throw error;
  }
}

/** A read-through cache of results. Create one with {@link createCache}. */
export class ResultCache {
  readonly #pool: Pool;
  /** Pool of the connection for LISTEN. */
  readonly #source: Pool;
  readonly #tables: readonly string[];
  readonly #ttlMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #entries: LRUCache<string, Entry>;
  readonly #loads = new Map<string, { entry: Entry; result: Promise<unknown> }>();
  readonly #counts = { hits: 0, joined: 0, misses: 0, changes: 0 };
  /** Number of the last change, and of the last change of each table. */
  #change = 0;
  readonly #changed = new Map<string, number>();
  readonly #markers = new Map<string, () => void>();
  #listening = false;
  /** Counts beginnings and ends of the subscription, so that a check of an earlier one has no effect. */
  #session = 0;
  #closed = false;
  #subscription: Subscription | undefined;

  constructor(pool: Pool, { tables, ttlMs = 60_000, maxEntries = 1_000, direct, onError = () => {} }: CacheOptions) {
    requirePrimary(pool, direct);
    if (tables.length === 0) throw usage("A cache needs the names of its tables.");
    if (!(ttlMs >= 0)) throw usage(`ttlMs is ${ttlMs}, expected a number from 0.`);
    this.#pool = pool;
    this.#source = direct === undefined ? pool : directPool(pool, direct);
    this.#tables = tables.map(fullName);
    this.#ttlMs = ttlMs;
    this.#onError = (error) => runCallback("onError of a cache", () => onError(error));
    this.#entries = new LRUCache({ max: maxEntries });
  }

  /** Subscribes to changes, and checks the triggers. */
  async start(): Promise<void> {
    this.#subscription = await this.#source.listen(cacheChannel, {
      onNotification: (payload) => this.#notified(payload),
      onConnect: () => void this.#begin(),
      onError: (error) => {
        this.#session += 1;
        this.#listening = false;
        this.#drop();
        this.#onError(error);
      },
    });
    const session = this.#session;
    await requireCacheTriggers(this.#pool, this.#tables);
    if (session === this.#session) this.#listening = true;
  }

  /**
   * Returns the rows of a statement, from the cache if they are new enough. They are shared and frozen.
   *
   * @throws the pool's error, or the signal's reason
   */
  query<Row extends QueryResultRow = QueryResultRow>(statement: CachedStatement): Promise<readonly Row[]> {
    const { text, values = [], prepare = false, ...conditions } = statement;
    return this.read(statementKey(text, values), conditions, async () => {
      const { rows } = await this.#pool.query<Row>({ text, values, prepare, readOnly: true });
      return rows;
    });
  }

  /**
   * Returns what `load` returned for this key, if it is new enough, or calls it. All callers that ask meanwhile share
   * one call. The value is shared and frozen.
   *
   * @param load reads from the primary, outside of a transaction that began before
   * @throws the error of `load`, which is not kept, or the signal's reason
   */
  async read<T>(key: string, conditions: CacheRead, load: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new PoolClosedError();
    const { ttlMs = this.#ttlMs, vary = [], signal } = conditions;
    signal?.throwIfAborted();
    const tables = conditions.tables === undefined ? this.#tables : conditions.tables.map((each) => this.#own(each));
    const context = partOf(requestContext(), vary);
    const full = JSON.stringify([key, tables, context]);
    const found = this.#entries.get(full);
    if (found !== undefined && this.#listening && !this.#pool.closed && this.#isCurrent(found, ttlMs)) {
      this.#counts.hits += 1;
      return found.value as T;
    }
    let running = this.#loads.get(full);
    if (running !== undefined && this.#isCurrent(running.entry, ttlMs)) this.#counts.joined += 1;
    else running = this.#load(full, tables, () => withOnlyContext(context, load));
    const result = running.result as Promise<T>;
    return signal === undefined ? result : unlessAborted(result, signal);
  }

  /** Drops the results of these tables now, without waiting for the report of a change. Default: all. */
  drop(tables: readonly string[] = this.#tables): void {
    this.#change += 1;
    for (const table of tables) this.#changed.set(this.#own(table), this.#change);
  }

  /**
   * Waits until every change that was committed before is known, by whichever connection it was made.
   *
   * @throws the pool's error; or a TimeoutError if changes are not reported within `connectionTimeoutMs`
   */
  async sync(): Promise<void> {
    if (this.#closed) throw new PoolClosedError();
    const marker = `sync ${randomUUID()}`;
    const arrived = new Promise<void>((resolve) => this.#markers.set(marker, resolve));
    try {
      // Notifications arrive in the order of the commits. One that is sent twice does no harm.
      await this.#pool.query({
        text: "select pg_catalog.pg_notify($1, $2)",
        values: [cacheChannel, marker],
        readOnly: true,
      });
      await unlessAborted(arrived, AbortSignal.timeout(this.#pool.settings.connectionTimeoutMs));
    } finally {
      this.#markers.delete(marker);
    }
  }

  get stats(): CacheStats {
    return { entries: this.#entries.size, ...this.#counts, listening: this.#listening };
  }

  /** Ends the subscription. The pool stays open. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#listening = false;
    this.#drop();
    await this.#subscription?.stop();
    if (this.#source !== this.#pool) await this.#source.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #isCurrent({ tables, startedAt, change }: Entry, ttlMs: number): boolean {
    if (performance.now() - startedAt >= ttlMs) return false;
    return tables.every((table) => (this.#changed.get(table) ?? 0) <= change);
  }

  #load(key: string, tables: readonly string[], load: () => Promise<unknown>) {
    this.#counts.misses += 1;
    const entry: Entry = { tables, startedAt: performance.now(), change: this.#change, value: undefined };
    const result = load().then(deepFreeze);
    const running = { entry, result };
    this.#loads.set(key, running);
    const ended = () => {
      if (this.#loads.get(key) === running) this.#loads.delete(key);
    };
    result.then((value) => {
      ended();
      entry.value = value;
      // An older read never replaces a newer one, whichever ends last.
      const newer = (this.#entries.peek(key)?.startedAt ?? Number.NEGATIVE_INFINITY) > entry.startedAt;
      if (this.#listening && !newer && this.#isCurrent(entry, this.#ttlMs)) this.#entries.set(key, entry);
    }, ended);
    return running;
  }

  #notified(payload: string): void {
    this.#markers.get(payload)?.();
    if (!this.#tables.includes(payload)) return;
    this.#counts.changes += 1;
    this.drop([payload]);
  }

  /** The subscription began. What happened before it is unknown. */
  async #begin(): Promise<void> {
    this.#session += 1;
    const session = this.#session;
    this.#drop();
    // The first check is that of start().
    if (this.#subscription === undefined) return;
    while (session === this.#session && !this.#closed && !this.#pool.closed) {
      try {
        await requireCacheTriggers(this.#pool, this.#tables);
        if (session === this.#session) this.#listening = !this.#closed;
        return;
      } catch (error) {
        this.#onError(error);
        await sleep(checkAgainMs, undefined, { ref: false });
      }
    }
  }

  /** Drops everything. */
  #drop(): void {
    this.drop();
    this.#entries.clear();
    for (const arrived of this.#markers.values()) arrived();
  }

  #own(table: string): string {
    const full = fullName(table);
    if (this.#tables.includes(full)) return full;
    throw usage(`${full} is not a table of this cache, which has: ${this.#tables.join(", ")}.`);
  }
}

/** Only one server may answer: another one would return older rows than those whose change was reported. */
function requirePrimary({ servers, settings }: Pool, direct: CacheOptions["direct"]): void {
  if (servers.servers.length > 1 && !["primary", "read-write"].includes(servers.target))
    throw usage(
      `A cache cannot use a pool of ${servers.servers.length} servers with targetSessionAttrs "${servers.target}".`,
      'Set it to "primary" or "read-write".',
    );
  if (settings.pooled && direct === undefined)
    throw usage("A pooler in transaction mode does not pass notifications on.", "Set `direct` to the server itself.");
}

/** Creates a pool for the one connection that listens. */
function directPool({ settings }: Pool, connection: string | PoolTarget): Pool {
  const { password, allowUnverifiedServers, applicationName, connectionTimeoutMs } = settings;
  const options = { env: {}, connection, allowUnverifiedServers, applicationName, connectionTimeoutMs, max: 1, min: 0 };
  const own = poolSettings(options);
  return new Pool({ ...own, password: own.password ?? password });
}

function partOf(
  context: Readonly<RequestContext> | undefined,
  vary: readonly (keyof RequestContext)[],
): RequestContext | undefined {
  if (vary.length === 0) return undefined;
  return Object.fromEntries([...vary].sort().map((name) => [name, context?.[name]]));
}

function fullName(table: string): string {
  const full = cachedTableName(table);
  if (full !== undefined) return full;
  throw usage(`"${table}" is not the name of a table that can be cached.`, "Use a name that needs no quotes.");
}

function usage(message: string, hint?: string): OperationError {
  return new OperationError(message, { ...(hint !== undefined && { hint }), exitCode: exitCode.usage });
}
