import { spawn } from "node:child_process";
import { OperationError } from "../core/operation-error.ts";
import type { Connection } from "./connection.ts";

/**
 * Runs psql on this terminal and returns its exit code. Passes the connection in libpq's variables, because arguments
 * are visible to other users.
 *
 * @throws OperationError with installation hints if psql is not on PATH
 */
export function openPsql(connection: Connection, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  // Left over in the shell, these would lead psql to another server.
  const { PGSERVICE: _service, PGHOSTADDR: _address, PGOPTIONS: _options, ...rest } = env;
  const child = spawn("psql", args, {
    stdio: "inherit",
    env: {
      ...rest,
      PGHOST: connection.host,
      PGPORT: String(connection.port),
      PGDATABASE: connection.database,
      PGUSER: connection.user,
      PGSSLMODE: connection.sslmode,
      PGAPPNAME: "pgroundwork psql",
      ...(connection.sslrootcert === undefined ? {} : { PGSSLROOTCERT: connection.sslrootcert }),
      ...(connection.password === undefined ? {} : { PGPASSWORD: connection.password }),
    },
  });
  // At Ctrl-C psql cancels the statement and continues. If this process ended, psql would lose its terminal.
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  return new Promise<number>((resolve, reject) => {
    child.on("error", (cause: NodeJS.ErrnoException) => reject(cause.code === "ENOENT" ? noPsql(cause) : cause));
    child.on("close", (code) => resolve(code ?? 1));
  }).finally(() => process.off("SIGINT", ignore));
}

function noPsql(cause: unknown): OperationError {
  return new OperationError("There is no psql on PATH.", {
    hint: "Debian, Ubuntu: apt install postgresql-client. macOS: brew install libpq. Or use any other client with the URL of `npm run -s pgw -- url`.",
    cause,
  });
}
