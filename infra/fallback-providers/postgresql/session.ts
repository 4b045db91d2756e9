import type pg from "pg";
import { inDatabase } from "../../../scripts/connection/connection.ts";
import { connectionError } from "../../../scripts/connection/connection-error.ts";
import { kitSettings, setKitSettings } from "../../../scripts/connection/session-settings.ts";
import type { CallContext } from "../../provider-protocol/resource-type.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { type Access, accessOf } from "./configuration.ts";
import { statementFailure } from "./failure.ts";

/**
 * Time after which an idle connection is closed, in ms. An open one prevents its database from being dropped or copied.
 */
const idleMillis = 2_000;

/**
 * Key of the advisory lock for changes of one database, so that plugins of several providers also wait for each other.
 */
const changeLock = 7_032_170_041;

/**
 * The kit's session settings except the time zone: a time without one must mean the same as under the official plugin.
 */
const { TimeZone: _serverHasIt, ...settings } = kitSettings;

/** Exclusive use of one database's connection. Quoting is pg's own, which is loaded only with the connection. */
export interface Session {
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  identifier(name: string): string;
  literal(value: string): string;
}

interface Open {
  client: pg.Client;
  broken: boolean;
}

/**
 * The connections of one provider: one for each database, with a queue of work. Two concurrent grants on one object
 * fail with "tuple concurrently updated", so they never run at the same time. Retrying would only hide the error.
 */
export class Sessions {
  readonly #access: Access;
  readonly #open = new Map<string, Open>();
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #aborted: unknown;

  constructor(access: Access) {
    this.#access = access;
  }

  /** The provider's configured database. Roles and databases are created from it. */
  get database(): string {
    return this.#access.connection.database;
  }

  get superuser(): boolean {
    return this.#access.superuser;
  }

  /** Runs work on a database's connection, exclusively and without a transaction. */
  run<Result>(database: string, work: (session: Session) => Promise<Result>): Promise<Result> {
    return this.#inTurn(database, () => this.#work(database, work));
  }

  /** Runs changes in one transaction. Changes of one database are serialised, even across processes. */
  change<Result>(database: string, work: (session: Session) => Promise<Result>): Promise<Result> {
    return this.run(database, async (session) => {
      await session.query("BEGIN");
      try {
        await session.query("SELECT pg_catalog.pg_advisory_xact_lock($1)", [changeLock]);
        const result = await work(session);
        await session.query("COMMIT");
        return result;
      } catch (error) {
        // A rollback can only fail if the connection is lost. The server then rolls back by itself.
        await session.query("ROLLBACK").catch(() => undefined);
        throw error;
      }
    });
  }

  /** Returns true if a database exists. The server is queried, since a refused connection would prove nothing. */
  async hasDatabase(name: string): Promise<boolean> {
    const rows = await this.run(this.database, (session) =>
      session.query("SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1", [name]),
    );
    return rows.length > 0;
  }

  /** Closes a database's connection once its work is done. */
  close(database: string): Promise<void> {
    return this.#inTurn(database, async () => {
      clearTimeout(this.#timers.get(database));
      const open = this.#open.get(database);
      this.#open.delete(database);
      if (open !== undefined && !open.broken) await open.client.end();
    });
  }

  /** Aborts running and queued work: statements fail with the reason, and the server rolls back. */
  abort(reason: unknown): void {
    this.#aborted = reason;
    for (const { client } of this.#open.values()) client.end().catch(() => undefined);
  }

  #inTurn<Result>(database: string, job: () => Promise<Result>): Promise<Result> {
    const queued = (this.#queues.get(database) ?? Promise.resolve()).then(job);
    // A failure does not affect the next job in the queue. The caller of the failed job gets it.
    this.#queues.set(
      database,
      queued.catch(() => undefined),
    );
    return queued;
  }

  async #work<Result>(database: string, work: (session: Session) => Promise<Result>): Promise<Result> {
    if (this.#aborted !== undefined) throw this.#aborted;
    clearTimeout(this.#timers.get(database));
    const { default: driver } = await import("pg");
    const { client } = await this.#connect(database, driver);
    const session: Session = {
      query: async <Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) => {
        try {
          return (await client.query<Row>(sql, values)).rows;
        } catch (error) {
          throw this.#aborted ?? statementFailure(error, inDatabase(this.#access.connection, database));
        }
      },
      identifier: (name) => driver.escapeIdentifier(name),
      literal: (value) => driver.escapeLiteral(value),
    };
    try {
      return await work(session);
    } finally {
      this.#timers.set(
        database,
        setTimeout(() => void this.close(database).catch(() => undefined), idleMillis).unref(),
      );
    }
  }

  async #connect(database: string, driver: typeof pg): Promise<Open> {
    const existing = this.#open.get(database);
    if (existing !== undefined && !existing.broken) return existing;
    const client = new driver.Client(await this.#access.client(database));
    const open: Open = { client, broken: false };
    // A server that restarts, or a dropped database, ends idle connections. The next work opens a new one.
    client.on("error", () => {
      open.broken = true;
    });
    client.on("end", () => {
      open.broken = true;
    });
    try {
      await client.connect();
      await setKitSettings(client, { settings });
    } catch (error) {
      client.end().catch(() => undefined);
      throw connectionError(inDatabase(this.#access.connection, database), error);
    }
    this.#open.set(database, open);
    return open;
  }
}

const sessionsOf = new WeakMap<Properties, Sessions>();

/**
 * Returns the connections of the call's provider. A provider's configuration stays the same object during its lifetime.
 */
export async function sessionsFor(context: CallContext): Promise<Sessions> {
  context.signal.throwIfAborted();
  const existing = sessionsOf.get(context.config);
  if (existing !== undefined) return existing;
  const sessions = new Sessions(accessOf(context.config));
  sessionsOf.set(context.config, sessions);
  context.signal.addEventListener("abort", () => sessions.abort(context.signal.reason), { once: true });
  return sessions;
}
