import { randomUUID } from "node:crypto";
import { link, lstat, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { unlessAbsent } from "../files/absent.ts";
import { type Connection, connectionUrl } from "./connection.ts";

/**
 * Refuses where there is a `.env` already: for a command that has other work to do first, and is to have changed nothing when it is refused.
 *
 * @throws OperationError (not allowed)
 */
export async function requireNoEnvironmentFile(folder: string): Promise<void> {
  const file = environmentFile(folder);
  if ((await unlessAbsent(lstat(file))) !== undefined) throw alreadyThere(file);
}

/**
 * Writes a connection as `.env`, readable by this user only, under the names that applications know. Answers the file's path.
 *
 * @throws OperationError (not allowed) where there is one already and `replace` does not allow it
 */
export async function writeEnvironmentFile(folder: string, connection: Connection, replace: boolean): Promise<string> {
  const file = environmentFile(folder);
  const lines = {
    DATABASE_URL: connectionUrl(connection),
    DB_HOST: connection.host,
    DB_PORT: String(connection.port),
    DB_USER: connection.user,
    DB_PASSWORD: connection.password ?? "",
    DB_NAME: connection.database,
    DB_SSLMODE: connection.sslmode,
    ...(connection.sslrootcert === undefined ? {} : { DB_SSLROOTCERT: connection.sslrootcert }),
  };
  const text = Object.entries(lines).map(([name, value]) => `${name}=${JSON.stringify(value)}\n`);
  const staging = `${file}.${randomUUID()}`;
  try {
    // A new file, put in place as a whole: one that is there keeps its mode when it is written to.
    await writeFile(staging, text.join(""), { mode: 0o600, flag: "wx" });
    await (replace ? rename(staging, file) : link(staging, file));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw alreadyThere(file, cause);
  } finally {
    await rm(staging, { force: true });
  }
  return file;
}

function environmentFile(folder: string): string {
  return join(folder, ".env");
}

function alreadyThere(file: string, cause?: unknown): OperationError {
  const remedy = "Add --force to replace it.";
  return new OperationError(`${file} is there already.`, { remedy, exitCode: exitCode.notAllowed, cause });
}
