import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { unlessAbsent } from "../core/absent.ts";
import { isCode, writeFileAtomically } from "../core/atomic-file.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { type Connection, connectionUrl } from "./connection.ts";

/**
 * Fails if `.env` already exists. For a command that does other work first and must change nothing if it is refused.
 *
 * @throws OperationError (not allowed)
 */
export async function requireNoEnvironmentFile(folder: string): Promise<void> {
  const file = environmentFile(folder);
  if ((await unlessAbsent(lstat(file))) !== undefined) throw alreadyThere(file);
}

/** Content of a `.env` file. */
export interface EnvironmentFile {
  path: string;
  variables: NodeJS.ProcessEnv;
  /** Stack that it was written for; undefined if it does not say. */
  stack: string | undefined;
}

/** Reads `.env`. Returns undefined if it does not exist or cannot be read. */
export async function readEnvironmentFile(folder: string): Promise<EnvironmentFile | undefined> {
  const path = environmentFile(folder);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  return { path, variables: parseEnv(text), stack: written.exec(text)?.[1] };
}

/** Matches the line with the stack that a `.env` was written for. */
const written = /^# Connection of stack (\S+)$/m;

const ownNames = [
  "DATABASE_URL",
  ...["DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "DB_NAME", "DB_SSLMODE", "DB_SSLROOTCERT"],
];

/**
 * Writes a connection to `.env`, readable only by this user, under the variable names that applications use. Keeps
 * other variables of a file that is replaced. Returns the file's path.
 *
 * @throws OperationError (not allowed) if the file exists and `replace` is false
 */
export async function writeEnvironmentFile(
  folder: string,
  connection: Connection,
  replace: boolean,
  stack?: string,
): Promise<string> {
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
  const text = [
    ...(replace ? await otherLines(file) : []),
    ...(stack === undefined ? [] : [`# Connection of stack ${stack}\n`]),
    ...Object.entries(lines).map(([name, value]) => `${name}=${JSON.stringify(value)}\n`),
  ];
  try {
    writeFileAtomically(file, text.join(""), { mode: 0o600, exclusive: !replace });
  } catch (cause) {
    if (!isCode(cause, "EEXIST")) throw cause;
    throw alreadyThere(file, cause);
  }
  return file;
}

/** Returns the lines of a file that are neither this module's variables nor its comment. */
async function otherLines(file: string): Promise<string[]> {
  const text = (await unlessAbsent(readFile(file, "utf8"))) ?? "";
  const isOwn = (line: string) =>
    written.test(line) || ownNames.includes(/^\s*(?:export\s+)?(\w+)\s*=/.exec(line)?.[1] ?? "");
  const lines = text.split("\n").filter((line) => !isOwn(line));
  while (lines.at(-1) === "") lines.pop();
  return lines.map((line) => `${line}\n`);
}

function environmentFile(folder: string): string {
  return join(folder, ".env");
}

function alreadyThere(file: string, cause?: unknown): OperationError {
  const hint = "Add --force to replace it.";
  return new OperationError(`${file} already exists.`, { hint, exitCode: exitCode.notAllowed, cause });
}
