import { spawn } from "node:child_process";
import { OperationError } from "../errors/operation-error.ts";
import type { Connection } from "../target/connection.ts";

/**
 * Runs psql on this terminal and answers its exit code. The connection reaches it by libpq's variables, since arguments are public.
 *
 * @throws OperationError saying where to get one, where there is no psql
 */
export function openPsql(connection: Connection, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  // Left over from the shell, any of them would point psql somewhere else.
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
  // psql ends a statement at Ctrl-C and goes on; ending here would leave it without a terminal.
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  return new Promise<number>((resolve, reject) => {
    child.on("error", (cause: NodeJS.ErrnoException) => reject(cause.code === "ENOENT" ? noPsql(cause) : cause));
    child.on("close", (code) => resolve(code ?? 1));
  }).finally(() => process.off("SIGINT", ignore));
}

function noPsql(cause: unknown): OperationError {
  return new OperationError("There is no psql on PATH.", {
    remedy:
      "Debian, Ubuntu: apt install postgresql-client. macOS: brew install libpq. Or use any other client with the URL of `npm run -s pgw -- url`.",
    cause,
  });
}
