import type Docker from "dockerode";
import { settingsOptions, socketSettings } from "../../connection/session-settings.ts";
import { OperationError } from "../../core/operation-error.ts";
import { runInContainer } from "../run-in-container.ts";

/** Error if a server did not answer a query on its socket. */
export class SocketError extends OperationError {}

/**
 * Queries a server in a container over its socket, as its superuser. It authenticates by the operating system's user,
 * so it works before a password is set and without knowing it.
 *
 * @param sql one statement without parameters; psql reads it from standard input, so no process list shows it
 * @returns the rows
 * @throws SocketError with the error of psql
 */
export async function queryInContainer<Row>(
  docker: Docker,
  container: string,
  sql: string,
  database = "postgres",
): Promise<Row[]> {
  const wrapped = `select coalesce(json_agg(row_to_json(answer)), '[]') from (${sql}) answer;`;
  return JSON.parse(await psql(docker, container, wrapped, database)) as Row[];
}

/**
 * Executes SQL on a server in a container.
 *
 * @param sql one or more statements, as in {@link queryInContainer}; their results are discarded
 */
export async function executeInContainer(
  docker: Docker,
  container: string,
  sql: string,
  database = "postgres",
): Promise<void> {
  await psql(docker, container, sql, database);
}

const environment = {
  PGAPPNAME: "pgroundwork",
  PGCONNECT_TIMEOUT: "5",
  PGCLIENTENCODING: "UTF8",
  PGOPTIONS: settingsOptions(socketSettings),
};

async function psql(docker: Docker, container: string, sql: string, database: string): Promise<string> {
  const finished = await runInContainer(docker, container, {
    command: ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"],
    input: sql,
    user: "postgres",
    // Not passed as an argument: psql would read a name such as `a=b` as a connection string.
    environment: { ...environment, PGDATABASE: database },
  });
  if (finished.code === 0) return finished.stdout;
  const said = finished.stderr.trim().split("\n").at(0) ?? "";
  throw new SocketError(
    `The server in the container ${container} did not answer: ${said || `psql ended with ${finished.code}`}`,
  );
}
