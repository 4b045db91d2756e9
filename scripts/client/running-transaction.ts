import { AsyncLocalStorage } from "node:async_hooks";
import type { QueryResultRow } from "pg";
import { RolledBackError, UseAfterEndError } from "./errors.ts";
import { lendClient } from "./lent-client.ts";
import { pipelined } from "./pipeline.ts";
import type { PoolCore } from "./pool-core.ts";
import type { ReplicaRead } from "./replicas/replicas.ts";
import type { ServerClient } from "./server-client.ts";
import { runStatement, type Send, type Statement, type StatementResult, send, touchesSession } from "./statements.ts";

/** A running transaction. Its client is for this transaction only. */
export interface Transaction {
  /** The driver's client, for libraries that need one. */
  readonly client: ServerClient;
  query<Row extends QueryResultRow = QueryResultRow>(
    statement: string | Omit<Statement, "readOnly" | keyof ReplicaRead>,
    values?: readonly unknown[],
  ): Promise<StatementResult<Row>>;
  /** Sends several statements at once, and returns their results in order. */
  batch(
    statements: readonly { text: string; values?: readonly unknown[] }[],
  ): Promise<StatementResult<QueryResultRow>[]>;
  /** Runs a function that can fail without the rest of the transaction. */
  savepoint<T>(run: (transaction: Transaction) => Promise<T>): Promise<T>;
}

/** Parts of a transaction for code of the pool: its client, and the check that it may send a statement now. */
interface Inside {
  client: ServerClient;
  requireOpen(): void;
}

const insides = new WeakMap<Transaction, Inside>();

/** Returns a transaction's client, for code of the pool that watches what runs on it. */
export function insideOf(transaction: Transaction): Inside {
  return insides.get(transaction) ?? { client: transaction.client, requireOpen: () => {} };
}

/** The transaction or a savepoint in it, while its function runs. */
interface Level {
  isOpen: boolean;
}

/** The innermost level in whose function the current code runs. */
const levels = new AsyncLocalStorage<Level>();

/** A transaction while its function runs. Afterwards, nothing can be sent by what the function left behind. */
export class RunningTransaction {
  readonly #core: PoolCore;
  readonly #client: ServerClient;
  readonly #signal: AbortSignal | undefined;
  /** Levels whose functions run, the innermost last. */
  readonly #open: Level[] = [];
  #savepoints = 0;

  constructor(core: PoolCore, client: ServerClient, signal: AbortSignal | undefined) {
    this.#core = core;
    this.#client = client;
    this.#signal = signal;
  }

  /** Runs the function of the transaction. */
  run<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#runAt(this.#enter(), work);
  }

  #enter(): Level {
    const level = { isOpen: true };
    this.#open.push(level);
    return level;
  }

  /** Runs a function at a level. When it ends, what it left behind can send nothing more. */
  async #runAt<T>(level: Level, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const lent = lendClient(this.#client, {});
    try {
      return await levels.run(level, () => work(this.#transactionAt(level, lent.handle)));
    } finally {
      level.isOpen = false;
      lent.end();
    }
  }

  /** Creates the object that the function of a level receives. */
  #transactionAt(level: Level, handle: ServerClient): Transaction {
    const client = this.#client;
    const requireOpen = () => this.#requireOpen(level);
    const sendOpen: Send = (to, statement) => {
      requireOpen();
      return send(to, statement);
    };
    const transaction: Transaction = {
      get client() {
        // What runs on it is not seen here.
        client.lend();
        return handle;
      },
      query: async <Row extends QueryResultRow>(
        statement: string | Omit<Statement, "readOnly" | keyof ReplicaRead>,
        values?: readonly unknown[],
      ) => {
        const full = typeof statement === "string" ? { text: statement, values } : statement;
        requireOpen();
        if (touchesSession(full.text)) client.needsReset = true;
        return runStatement<Row>(client, full, this.#core.settings.maxPreparedStatements, sendOpen);
      },
      batch: async (statements) => {
        requireOpen();
        if (statements.some(({ text }) => touchesSession(text))) client.needsReset = true;
        const sendAll = () => statements.map(({ text, values }) => client.query(text, values as unknown[] | undefined));
        return pipelined(client, sendAll);
      },
      savepoint: async (run) => {
        requireOpen();
        return this.#savepoint(run);
      },
    };
    insides.set(transaction, { client, requireOpen });
    return transaction;
  }

  async #savepoint<T>(run: (transaction: Transaction) => Promise<T>): Promise<T> {
    const [client, name] = [this.#client, `pgw_${++this.#savepoints}`];
    const [outermost] = this.#open;
    const level = this.#enter();
    try {
      await client.query(`savepoint ${name}`);
      try {
        const result = await this.#runAt(level, run);
        await client.ready();
        if (client.getTransactionStatus() === "E") throw savepointRolledBack(client.failedWith);
        await client.query(`release savepoint ${name}`);
        return result;
      } catch (error) {
        if (client.lost === undefined && outermost?.isOpen) await client.query(`rollback to savepoint ${name}`);
        throw error;
      }
    } finally {
      // Other statements of the transaction run again: the rollback was sent before them.
      if (this.#open.includes(level)) this.#open.splice(this.#open.indexOf(level));
    }
  }

  /**
   * Refuses a statement of a function that has ended, or beside an open savepoint: if that one fails, it would be
   * rolled back after its caller was told that it had succeeded.
   */
  #requireOpen(level: Level): void {
    if (!level.isOpen)
      throw new UseAfterEndError("The function of this transaction or savepoint has ended, so nothing runs in it.", {
        hint: "Await every statement in the function, also the others of a Promise.all of which one failed.",
      });
    const innermost = this.#open.at(-1);
    if (innermost !== level && levels.getStore() !== innermost)
      throw new UseAfterEndError("A savepoint of this transaction is open, and the statement is not part of it.", {
        hint: "Await savepoint() before you send other statements of the transaction.",
      });
    this.#signal?.throwIfAborted();
  }
}

function savepointRolledBack(cause: unknown): RolledBackError {
  return new RolledBackError(
    "The savepoint was rolled back: a statement in it had failed, and its error was ignored.",
    { hint: "Let the error leave the function of savepoint(), and ignore it outside.", cause },
  );
}
