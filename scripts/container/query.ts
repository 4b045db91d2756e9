import type Docker from "dockerode";
import { runInContainer } from "../docker/run-in-container.ts";
import { OperationError } from "../errors/operation-error.ts";

/** A server in a container did not answer a question on its socket. */
export class SocketError extends OperationError {}

/**
 * Asks a server in a container, as its superuser, over its socket: by the operating system's account and not by a password, so that it works before there is
 * one and with none that is known.
 *
 * @param sql one statement without parameters, read from psql's input: no process list shows it
 * @returns its rows
 * @throws SocketError with what psql said
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
 * Has a server in a container do something.
 *
 * @param sql as above; what it answers is dropped
 */
export async function executeInContainer(
  docker: Docker,
  container: string,
  sql: string,
  database = "postgres",
): Promise<void> {
  await psql(docker, container, sql, database);
}

async function psql(docker: Docker, container: string, sql: string, database: string): Promise<string> {
  const finished = await runInContainer(docker, container, {
    command: [
      "psql",
      "--no-psqlrc",
      "--quiet",
      "--tuples-only",
      "--no-align",
      "--set=ON_ERROR_STOP=1",
      "--dbname",
      database,
    ],
    input: sql,
    user: "postgres",
    environment: { PGAPPNAME: "pgroundwork", PGCONNECT_TIMEOUT: "5" },
  });
  if (finished.code === 0) return finished.stdout;
  const said = finished.stderr.trim().split("\n").at(0) ?? "";
  throw new SocketError(
    `The server in the container ${container} did not answer: ${said || `psql ended with ${finished.code}`}`,
  );
}
