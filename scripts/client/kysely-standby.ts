import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from "kysely";
import { exitCode, OperationError } from "../core/operation-error.ts";
import type { StandbyReader } from "./replicas/standby-reader.ts";

/** Sends each of Kysely's statements as a read of its own, so that each one can be answered by another server. */
export class StandbyDriver implements Driver {
  readonly #connection: DatabaseConnection;

  constructor(reader: StandbyReader) {
    this.#connection = {
      async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
        const { rows } = await reader.query({ text: sql, values: parameters });
        return { rows: rows as Row[] };
      },
      streamQuery: () => {
        throw singleStatements("streams");
      },
    };
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async beginTransaction(): Promise<void> {
    throw singleStatements("transactions");
  }

  async commitTransaction(): Promise<void> {}
  async rollbackTransaction(): Promise<void> {}
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}

function singleStatements(what: string): OperationError {
  return new OperationError(`Kysely on pool.standby() has no ${what}: each statement can have another server.`, {
    hint: "Use kyselyTransaction(pool.standby(), …), whose statements are answered by one server.",
    exitCode: exitCode.usage,
  });
}
