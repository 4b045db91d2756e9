import type { QueryResultRow } from "pg";
import { refuseOtherCalls, withValues } from "../driver-calls.ts";
import type { Transaction } from "../running-transaction.ts";
import type { Statement, StatementResult } from "../statements.ts";
import type { TransactionOptions } from "../transaction.ts";
import type { ReplicaRead } from "./replicas.ts";

/** Conditions under which a standby may answer all reads of a {@link StandbyReader}. */
export type StandbyConditions = Omit<ReplicaRead, "replica">;

/** A pool that sends reads to standbys if they ask for it. */
interface ReadingPool {
  query<Row extends QueryResultRow>(statement: Statement): Promise<StatementResult<Row>>;
  transaction<T>(run: (transaction: Transaction) => Promise<T>, options: TransactionOptions): Promise<T>;
}

/** A pool's reads from standbys that fulfil the same conditions. The primary answers if none does. */
export class StandbyReader {
  readonly #pool: ReadingPool;
  readonly #conditions: ReplicaRead;

  constructor(pool: ReadingPool, conditions: StandbyConditions) {
    this.#pool = pool;
    this.#conditions = { ...conditions, replica: true };
  }

  /** Runs one statement that reads. */
  async query<Row extends QueryResultRow = QueryResultRow>(
    statement: string | Statement,
    values?: readonly unknown[],
  ): Promise<StatementResult<Row>> {
    refuseOtherCalls("query", statement, values);
    return this.#pool.query<Row>({ ...withValues(statement, values), ...this.#conditions });
  }

  /** Runs a function in a read-only transaction. */
  transaction<T>(run: (transaction: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return this.#pool.transaction(run, { ...options, ...this.#conditions });
  }
}
