import type pg from "pg";
import { inDatabase } from "../../../scripts/target/connection.ts";
import { connectionError } from "../../../scripts/target/connection-error.ts";
import type { CallContext } from "../../plugin/resource-type.ts";
import type { Properties } from "../../plugin/values.ts";
import { type Access, accessOf } from "./configuration.ts";
import { statementFailure } from "./failure.ts";

/** How long a connection may lie idle, in ms, before it is closed: an open one keeps its database from being dropped or copied. */
const idleMillis = 2_000;

/** Key of the lock that changes of one database take, so that plugins of several providers wait for each other too. */
const changeLock = 7_032_170_041;

/** One database's connection while a piece of work has it to itself. Quoting is pg's own, which is loaded with the connection only. */
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
 * The connections of one provider: one a database, on which work queues. Two grants at once on one object fail with "tuple
 * concurrently updated", so they never run at once; retrying would only hide it.
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

  /** The database that the provider is configured with: roles and databases are made from there. */
  get database(): string {
    return this.#access.connection.database;
  }

  get superuser(): boolean {
    return this.#access.superuser;
  }

  /** Runs work on a database's connection, alone and without a transaction. */
  run<Result>(database: string, work: (session: Session) => Promise<Result>): Promise<Result> {
    return this.#inTurn(database, () => this.#work(database, work));
  }

  /** Runs changes in one transaction; changes of one database happen one after the other, across processes. */
  change<Result>(database: string, work: (session: Session) => Promise<Result>): Promise<Result> {
    return this.run(database, async (session) => {
      await session.query("BEGIN");
      try {
        await session.query("SELECT pg_catalog.pg_advisory_xact_lock($1)", [changeLock]);
        const result = await work(session);
        await session.query("COMMIT");
        return result;
      } catch (error) {
        // A rollback can only fail with the connection, and then the server rolls back by itself.
        await session.query("ROLLBACK").catch(() => undefined);
        throw error;
      }
    });
  }

  /** Whether a database is there; asked of the server, since "connection refused to it" would not tell. */
  async hasDatabase(name: string): Promise<boolean> {
    const rows = await this.run(this.database, (session) =>
      session.query("SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1", [name]),
    );
    return rows.length > 0;
  }

  /** Lets go of a database's connection once its work is done. */
  close(database: string): Promise<void> {
    return this.#inTurn(database, async () => {
      clearTimeout(this.#timers.get(database));
      const open = this.#open.get(database);
      this.#open.delete(database);
      if (open !== undefined && !open.broken) await open.client.end();
    });
  }

  /** Breaks off whatever runs, and what waits: its statement fails with the reason, and the server rolls back. */
  abort(reason: unknown): void {
    this.#aborted = reason;
    for (const { client } of this.#open.values()) client.end().catch(() => undefined);
  }

  #inTurn<Result>(database: string, job: () => Promise<Result>): Promise<Result> {
    const queued = (this.#queues.get(database) ?? Promise.resolve()).then(job);
    // The next in the queue is not concerned by a failure; whoever asked for this job is, and gets it.
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
    // A server that restarts, or a database that is dropped, ends idle connections: the next piece of work makes a new one.
    client.on("error", () => {
      open.broken = true;
    });
    client.on("end", () => {
      open.broken = true;
    });
    try {
      await client.connect();
    } catch (error) {
      client.end().catch(() => undefined);
      throw connectionError(inDatabase(this.#access.connection, database), error);
    }
    this.#open.set(database, open);
    return open;
  }
}

const sessionsOf = new WeakMap<Properties, Sessions>();

/** The connections of the provider that a call came through. A provider's configuration stays one object while it lives. */
export async function sessionsFor(context: CallContext): Promise<Sessions> {
  context.signal.throwIfAborted();
  const existing = sessionsOf.get(context.config);
  if (existing !== undefined) return existing;
  const sessions = new Sessions(accessOf(context.config));
  sessionsOf.set(context.config, sessions);
  context.signal.addEventListener("abort", () => sessions.abort(context.signal.reason), { once: true });
  return sessions;
}
