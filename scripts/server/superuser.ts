import pg from "pg";
import { OperationError } from "../errors/operation-error.ts";
import { withClient } from "../target/client.ts";
import type { Connection } from "../target/connection.ts";
import { scramVerifier } from "../target/scram.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { superuser } from "./cluster.ts";
import { run } from "./program.ts";

/** Changes the superuser's password on a running server, over a connection that still has the old one. */
export async function changeSuperuserPassword(connection: Connection, password: string): Promise<void> {
  const statement = await alterRole(password);
  await withClient(connection, (client) => client.query(statement));
}

/**
 * Sets the superuser's password on a stopped server, in single-user mode: the way into a cluster whose password nobody knows any more (a
 * stack's state was lost, the data was not). Only who owns the data directory can do this.
 */
export async function resetSuperuserPassword(
  binaries: Binaries,
  dataDirectory: string,
  password: string,
  account: Account | undefined,
): Promise<void> {
  const finished = await run(
    binaries.postgres,
    ["--single", "-D", dataDirectory, "-c", "logging_collector=off", "postgres"],
    {
      account,
      cwd: dataDirectory,
      input: `${await alterRole(password)};\n`,
    },
  );
  const failure = /(ERROR|FATAL|PANIC):.*/.exec(finished.stderr);
  if (finished.code !== 0 || failure !== null) {
    throw new OperationError(
      `The password of ${superuser} could not be set on ${dataDirectory}: ${failure?.[0] ?? finished.stderr.trim()}`,
    );
  }
}

async function alterRole(password: string): Promise<string> {
  return `ALTER ROLE ${pg.escapeIdentifier(superuser)} PASSWORD ${pg.escapeLiteral(await scramVerifier(password))}`;
}
