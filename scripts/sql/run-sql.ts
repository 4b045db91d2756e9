import type { Client } from "pg";
import { serverFaultHint } from "../connection/server-fault.ts";
import { OperationError } from "../core/operation-error.ts";
import { extensionFaultHint, perhapsExtension } from "./extension-fault.ts";
import { sessionFaultHint } from "./session-fault.ts";
import { describeSqlError, type ServerError, type SqlPlace, type SqlSource } from "./sql-error.ts";

/** The failure of an SQL file. The message has file, line, caret, SQLSTATE, detail and hint. */
export class SqlFileError extends OperationError {
  readonly file: string;
  readonly sqlstate: string | undefined;
  readonly place: SqlPlace | undefined;

  constructor(
    message: string,
    hint: string,
    file: string,
    sqlstate: string | undefined,
    place: SqlPlace | undefined,
    cause: unknown,
  ) {
    super(message, { hint, cause });
    this.file = file;
    this.sqlstate = sqlstate;
    this.place = place;
  }
}

/**
 * Sends a file's text from `source.start`, compiled, as one simple query, as psql -f and graphile-migrate do.
 *
 * @param hint what to do after a failure; part of the error
 * @param before statements to send before it in the same round trip. None of them runs if the server cannot parse the
 * file.
 * @throws SqlFileError
 */
export async function runSql(
  client: Client,
  source: SqlSource,
  hint: string,
  before: readonly string[] = [],
): Promise<void> {
  const part = source.text.slice(source.start);
  const sql = source.compile === undefined ? part : source.compile(part);
  const head = before.map((statement) => `${statement}; `).join("");
  let completed = -before.length;
  const count = () => {
    completed++;
  };
  // The driver has no public way to find out which of several statements failed. The server sends "complete" after
  // each.
  client.connection.on("commandComplete", count);
  // On a connection that pipelines, the replies to earlier queries arrive first.
  const restart = () => {
    completed = -before.length;
  };
  client.connection.on("readyForQuery", restart);
  const stop = () => {
    client.connection.off("commandComplete", count);
    client.connection.off("readyForQuery", restart);
  };
  // After an error, later queries in the pipeline complete too and must not be counted.
  client.connection.once("errorMessage", stop);
  try {
    await client.query(head + sql);
  } catch (error) {
    throw sqlFileError(withoutHead(error, head), source, hint, completed);
  } finally {
    stop();
    client.connection.off("errorMessage", stop);
  }
}

/** Converts an error's position to one in the file's own text. */
function withoutHead(error: unknown, head: string): unknown {
  if (!isServerError(error) || error.position === undefined) return error;
  error.position = String(Number(error.position) - head.length);
  return error;
}

/** Builds the error of one file. An error that the server did not send (connection lost) has no place in the file. */
export function sqlFileError(error: unknown, source: SqlSource, hint: string, completed?: number): SqlFileError {
  if (!isServerError(error)) {
    const reason = error instanceof Error ? error.message : String(error);
    return new SqlFileError(`${source.file}: ${reason}`, hint, source.file, undefined, undefined, error);
  }
  const { text, place } = describeSqlError(error, source, completed);
  const machine = serverFaultHint(error.code);
  const special = sessionFaultHint(error) ?? extensionFaultHint(error);
  const first = machine ?? perhapsExtension(error);
  const advice = special ?? (first === undefined ? hint : `${first} ${hint}`);
  return new SqlFileError(text, advice, source.file, error.code, place, error);
}

function isServerError(error: unknown): error is ServerError & Error {
  return error instanceof Error && "severity" in error && "code" in error;
}
