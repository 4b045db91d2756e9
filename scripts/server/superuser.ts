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
  const { errors, code, stderr } = await runSingleUser(
    binaries,
    dataDirectory,
    `${await alterRole(password)};\n`,
    account,
  );
  if (code !== 0 || errors.length > 0) {
    throw new OperationError(
      `Cannot set the password of ${superuser} on ${dataDirectory}: ${errors[0] ?? stderr.trim()}`,
    );
  }
}

/**
 * Sets the passwords of logins on a stopped server, in single-user mode. Logins that the cluster lacks are left out.
 *
 * @param passwords by login
 * @returns logins that the cluster lacks
 */
export async function setPasswordsOffline(
  binaries: Binaries,
  dataDirectory: string,
  passwords: ReadonlyMap<string, string>,
  account: Account | undefined,
): Promise<string[]> {
  const lines: string[] = [];
  for (const [user, password] of passwords) lines.push(`${await alterRole(password, user)};\n`);
  const { errors, code, stderr } = await runSingleUser(binaries, dataDirectory, lines.join(""), account);
  const missing = errors.flatMap((line) => /^ERROR: +role "(.*)" does not exist$/.exec(line)?.[1] ?? []);
  if (code === 0 && missing.length === errors.length) return missing;
  const failure = errors.find((line) => !line.endsWith("does not exist")) ?? stderr.trim();
  throw new OperationError(`Cannot set the passwords on ${dataDirectory}: ${failure}`);
}

/** Runs statements, one a line, on a stopped server. An error does not end the run. */
async function runSingleUser(
  binaries: Binaries,
  dataDirectory: string,
  input: string,
  account: Account | undefined,
): Promise<{ errors: string[]; code: number; stderr: string }> {
  const { code, stderr } = await run(
    binaries.postgres,
    [
      ...["--single", "-D", dataDirectory, "-c", "logging_collector=off", "-c", "lc_messages=C"],
      ...["-c", "log_line_prefix=", "-c", "default_transaction_read_only=off", "postgres"],
    ],
    { account, cwd: dataDirectory, input },
  );
  return {
    errors: [...stderr.matchAll(/^.*?((?:ERROR|FATAL|PANIC):.*)$/gm)].map(([, text = ""]) => text),
    code,
    stderr,
  };
}

async function alterRole(password: string, user = superuser): Promise<string> {
  return `ALTER ROLE ${pg.escapeIdentifier(user)} PASSWORD ${pg.escapeLiteral(await scramVerifier(password))}`;
}
