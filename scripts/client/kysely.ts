import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type KyselyConfig,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from "kysely";
import type { QueryResultRow } from "pg";
import Cursor from "pg-cursor";
import { captureCallSite } from "./call-site.ts";
import type { Checkout } from "./checkouts.ts";
import { commit } from "./commit.ts";
import { HoldingKysely } from "./kysely-holding.ts";
import { StandbyDriver } from "./kysely-standby.ts";
import type { Pool } from "./pool.ts";
import { openIfPooled } from "./pooled-statements.ts";
import { StandbyReader } from "./replicas/standby-reader.ts";
import { rollBack } from "./retry.ts";
import { insideOf, type Transaction } from "./running-transaction.ts";
import type { ServerClient } from "./server-client.ts";
import { applyContext, type StatementResult, touchesSession } from "./statements.ts";
import { closeCursor, readBatches } from "./stream.ts";
import { beginText, type TransactionOptions } from "./transaction.ts";
import { exactTypes } from "./types-as-text.ts";
import { WorkLimits } from "./work-limits.ts";

/**
 * Creates Kysely on a pool, or on its standbys (`pool.standby()`). Each statement and each transaction takes a client
 * and returns it on every path.
 */
export function kyselyOn<Database>(
  pool: Pool | StandbyReader,
  config: Omit<KyselyConfig, "dialect"> = {},
): Kysely<Database> {
  if (pool instanceof StandbyReader)
    return new Kysely<Database>({ ...config, dialect: dialectOf(new StandbyDriver(pool)) });
  const full = { ...config, dialect: dialectOf(new PoolDriver(pool)) };
  const plain = new Kysely<Database>(full);
  // Kysely's wrapper of the driver is not accessible. This one ends it, and begins and ends transactions.
  const driver = new PoolDriver(pool, () => plain.destroy());
  return new HoldingKysely<Database>(
    { ...{ config: full, driver }, dialect: full.dialect, executor: plain.getExecutor() },
    (connection, work) => pool.checkouts.within((connection as PoolConnection).checkout, work),
  );
}

/**
 * Runs a function with Kysely in a transaction of the pool. Unlike Kysely's own transactions, it is repeated if that is
 * safe; see `pool.transaction()`.
 */
export function kyselyTransaction<Database, T>(
  pool: Pick<Pool, "transaction">,
  run: (database: Kysely<Database>) => Promise<T>,
  options?: TransactionOptions,
): Promise<T> {
  return pool.transaction((transaction) => {
    const connection = new TransactionConnection(transaction);
    return run(new Kysely<Database>({ dialect: dialectOf(new SingleDriver(connection)) }));
  }, options);
}

function dialectOf(driver: Driver): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => driver,
    createIntrospector: (database) => new PostgresIntrospector(database),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

/** Runs Kysely's queries on a client. */
class ClientConnection implements DatabaseConnection {
  readonly client: ServerClient;

  constructor(client: ServerClient) {
    this.client = client;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    if (touchesSession(sql)) this.client.needsReset = true;
    const { command, rowCount, rows } = await this.send(sql, [...parameters]);
    const changed = ["INSERT", "UPDATE", "DELETE", "MERGE"].includes(command);
    return { rows: rows as Row[], ...(changed && { numAffectedRows: BigInt(rowCount ?? 0) }) };
  }

  protected send(text: string, values: unknown[]): Promise<StatementResult<QueryResultRow>> {
    return this.client.query(text, values);
  }

  async *streamQuery<Row>(
    { sql, parameters }: CompiledQuery,
    chunkSize = 100,
  ): AsyncIterableIterator<QueryResult<Row>> {
    const cursor = this.client.query(new Cursor(sql, [...parameters], { types: exactTypes }));
    const next = () => this.client.whileConnected(cursor.read(chunkSize));
    try {
      for (let rows = await next(); rows.length > 0; rows = await next()) yield { rows: rows as Row[] };
    } finally {
      if (this.client.lost === undefined) await closeCursor(cursor, this.client);
    }
  }
}

/** Runs Kysely's queries in a transaction of the pool, until its function ends. */
class TransactionConnection extends ClientConnection {
  readonly #requireOpen: () => void;

  constructor(transaction: Transaction) {
    const { client, requireOpen } = insideOf(transaction);
    super(client);
    this.#requireOpen = requireOpen;
  }

  protected override async send(text: string, values: unknown[]): Promise<StatementResult<QueryResultRow>> {
    this.#requireOpen();
    return super.send(text, values);
  }

  override async *streamQuery<Row>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<Row>> {
    this.#requireOpen();
    yield* super.streamQuery<Row>(query, chunkSize);
  }
}

/** A connection of the pool, with what is needed to return it exactly once. */
class PoolConnection extends ClientConnection {
  readonly checkout: Checkout;
  readonly #pool: Pool;
  inTransaction = false;
  returned = false;
  readOnly = false;

  constructor(checkout: Checkout, pool: Pool) {
    super(checkout.client);
    this.checkout = checkout;
    this.#pool = pool;
  }

  protected override send(text: string, values: unknown[]): Promise<StatementResult<QueryResultRow>> {
    return this.inTransaction ? super.send(text, values) : this.#pool.send(this.client, { text, values });
  }

  override async *streamQuery<Row>(query: CompiledQuery, chunkSize = 100): AsyncIterableIterator<QueryResult<Row>> {
    if (this.inTransaction || !this.client.idle) {
      yield* super.streamQuery<Row>(query, chunkSize);
      return;
    }
    const cursor = new Cursor(query.sql, [...query.parameters], { types: exactTypes });
    const { queryTimeoutMs } = this.#pool.settings;
    const options = { cursor, batchSize: chunkSize, answerLimitMs: queryTimeoutMs };
    for await (const rows of readBatches(this.#pool, this.checkout, new WorkLimits("The stream", {}), options))
      yield { rows: rows as Row[] };
  }
}

/** Takes clients from the pool. */
class PoolDriver implements Driver {
  readonly #pool: Pool;
  readonly #end: () => Promise<void>;

  /** @param end what else ends with it; the pool belongs to its creator */
  constructor(pool: Pool, end = async () => {}) {
    this.#pool = pool;
    this.#end = end;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PoolConnection> {
    const checkout = await this.#pool.acquire("transaction", undefined, captureCallSite());
    try {
      await applyContext(checkout, this.#pool.settings);
      return new PoolConnection(checkout, this.#pool);
    } catch (error) {
      this.#pool.giveBack(checkout);
      throw error;
    }
  }

  async beginTransaction(
    connection: PoolConnection,
    { isolationLevel, accessMode }: TransactionSettings,
  ): Promise<void> {
    connection.readOnly = accessMode === "read only";
    const beginning = beginText({ isolation: isolationLevel, readOnly: connection.readOnly });
    await this.#orReturn(connection, async () => {
      // Behind a pooler, this also sets limits and context. Otherwise the session has them.
      if (!(await openIfPooled(connection.client, this.#pool.settings, beginning)))
        await connection.client.query(beginning);
    });
    connection.inTransaction = true;
  }

  async commitTransaction(connection: PoolConnection): Promise<void> {
    const { checkout, readOnly } = connection;
    await this.#orReturn(connection, () => commit(this.#pool, checkout, readOnly));
    connection.inTransaction = false;
  }

  async rollbackTransaction(connection: PoolConnection): Promise<void> {
    // After a lost connection or an unanswered COMMIT, the first error counts.
    if (!connection.returned && connection.client.lost === undefined) await rollBack(this.#pool, connection.client);
    connection.inTransaction = false;
  }

  async savepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`savepoint ${quoted(name)}`));
  }

  async rollbackToSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`rollback to savepoint ${quoted(name)}`));
  }

  async releaseSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`release savepoint ${quoted(name)}`));
  }

  async releaseConnection(connection: PoolConnection): Promise<void> {
    if (connection.returned) return;
    connection.returned = true;
    const unfinished = await this.#pool.finish(connection.checkout);
    // A transaction of Kysely's own has told its caller already.
    if (unfinished !== undefined && !connection.inTransaction) throw unfinished;
  }

  async destroy(): Promise<void> {
    await this.#end();
  }

  /** Returns the client if a step of a transaction fails: Kysely then forgets the connection (kysely#1990). */
  async #orReturn(connection: PoolConnection, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      await this.releaseConnection(connection);
      throw error;
    }
  }
}

/** Lends one client, which stays in its transaction. */
class SingleDriver implements Driver {
  readonly #connection: ClientConnection;

  constructor(connection: ClientConnection) {
    this.#connection = connection;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async beginTransaction(): Promise<void> {
    throw new Error("A transaction is running already. Use savepoint() of the pool's transaction for a part of it.");
  }

  async commitTransaction(): Promise<void> {}
  async rollbackTransaction(): Promise<void> {}
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export { containing, type Page, type PageOrder, type PageRequest, pageOf } from "./pages.ts";
