import pg from "pg";
import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { scramVerifier } from "../connection/scram.ts";
import { OperationError } from "../core/operation-error.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { superuser } from "./cluster.ts";
import { run } from "./program.ts";

/** Changes the superuser's password on a running server, over a connection that has the old one. */
export async function changeSuperuserPassword(connection: Connection, password: string): Promise<void> {
  const statement = await alterRole(password);
  // The server may have default_transaction_read_only. The kit stores the password, so a standby need not have it.
  const begin = "BEGIN READ WRITE; SET LOCAL synchronous_commit = local";
  await withClient(connection, (client) => client.query(`${begin}; ${statement}; COMMIT`));
}

/**
 * Sets the superuser's password on a stopped server, in single-user mode. This opens a cluster whose password is lost,
 * for example because the stack's state was lost and the data was not. Only the owner of the data directory can do
 * this.
 */
export async function resetSuperuserPassword(
  binaries: Binaries,
  dataDirectory: string,
  password: string,
  account: Account | undefined,
): Promise<void> {
  const finished = await run(
    binaries.postgres,
    [
      ...["--single", "-D", dataDirectory, "-c", "logging_collector=off"],
      ...["-c", "default_transaction_read_only=off", "postgres"],
    ],
    {
      account,
      cwd: dataDirectory,
      input: `${await alterRole(password)};\n`,
    },
  );
  const failure = /(ERROR|FATAL|PANIC):.*/.exec(finished.stderr);
  if (finished.code !== 0 || failure !== null) {
    throw new OperationError(
      `Cannot set the password of ${superuser} on ${dataDirectory}: ${failure?.[0] ?? finished.stderr.trim()}`,
    );
  }
}

async function alterRole(password: string): Promise<string> {
  return `ALTER ROLE ${pg.escapeIdentifier(superuser)} PASSWORD ${pg.escapeLiteral(await scramVerifier(password))}`;
}
