import { existsSync } from "node:fs";
import { readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { inTransaction } from "../connection/session.ts";
import { refuseEndlessCommits } from "../connection/synchronous-standbys.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { databaseFolder, readDatabaseFile } from "./database-file.ts";
import { moveJobs } from "./jobs.ts";
import { requireDatabaseName } from "./new-database.ts";

/** Suffixes of the roles that a database has. */
const roles = ["owner", "migrator", "app", "readonly"];

/**
 * Checks that a database's folder can be renamed.
 *
 * @throws OperationError (exit code usage) for a name that is not valid or a database that does not exist; (exit code
 * notAllowed) if the new name is taken
 */
export async function requireRenamable(migrations: string, from: string, to: string): Promise<void> {
  requireDatabaseName(to);
  await readDatabaseFile(migrations, from);
  if (!existsSync(databaseFolder(migrations, to))) return;
  throw new OperationError(`${databaseFolder(migrations, to)} already exists.`, {
    hint: "Choose another name.",
    exitCode: exitCode.notAllowed,
  });
}

/** Renames a database's folder. Git detects the renamed files by itself. */
export async function renameDatabaseFolder(migrations: string, from: string, to: string): Promise<void> {
  await rename(databaseFolder(migrations, from), databaseFolder(migrations, to));
}

/** Finds files of a database that contain the old name of its roles or its tests. A person must edit these. */
export async function filesWithOldName(root: string, from: string, to: string): Promise<string[]> {
  const folder = join("migrations", to);
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  const named = new RegExp(`\\b${from}_(${roles.join("|")})\\b`);
  const files: string[] = [];
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    if (named.test(await readFile(path, "utf8"))) files.push(path.slice(root.length + 1));
  }
  const tests = [`test/embedded/migrations/${from}`, `test/embedded/infra/program/${from}.test.ts`];
  return [...files.sort(), ...tests.filter((path) => existsSync(join(root, path)))];
}

/**
 * Renames a database and its roles on a server, all or nothing. Rows, passwords and privileges stay. Jobs of pg_cron
 * run in the renamed database.
 *
 * @param admin login that may rename them, connected to another database of the server
 * @throws OperationError (exit code notAllowed) if the server does not have the database or already has the new name;
 * also if the rename fails, for example because sessions are connected
 */
export async function renameOnServer(admin: Connection, from: string, to: string): Promise<void> {
  requireDatabaseName(to);
  await withClient(admin, async (client) => {
    const { escapeIdentifier } = client;
    const { rows } = await client.query<{ name: string }>(
      "SELECT datname AS name FROM pg_catalog.pg_database WHERE datname = ANY ($1)",
      [[from, to]],
    );
    const names = rows.map(({ name }) => name);
    if (!names.includes(from)) throw refused(`The server has no database "${from}".`, "Nothing was changed.");
    if (names.includes(to))
      throw refused(
        `The server already has a database "${to}".`,
        `Nothing was changed. If \`up\` created it empty: npm run pgw -- destroy --erase ${to}`,
      );
    const scheduler =
      "SELECT FROM pg_catalog.pg_stat_activity WHERE datname = $1 AND backend_type = 'pg_cron launcher'";
    if ((await client.query(scheduler, [from])).rowCount !== 0)
      throw refused(
        `"${from}" lists the extension pg_cron, whose scheduler is connected to it.`,
        "Nothing was changed. Remove pg_cron from its database.json and run `npm run up`. Then rename the database, list pg_cron again, and schedule its jobs again.",
      );
    const found = await client.query<{ name: string }>(
      "SELECT rolname AS name FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)",
      [roles.map((role) => `${from}_${role}`)],
    );
    const renamed = Object.fromEntries(found.rows.map(({ name }) => [name, `${to}${name.slice(from.length)}`]));
    await refuseEndlessCommits(client);
    await inTransaction(client, async () => {
      await client.query(`ALTER DATABASE ${escapeIdentifier(from)} RENAME TO ${escapeIdentifier(to)}`);
      for (const [old, name] of Object.entries(renamed))
        await client.query(`ALTER ROLE ${escapeIdentifier(old)} RENAME TO ${escapeIdentifier(name)}`);
      await moveJobs(client, from, to, renamed);
    }).catch((error: unknown) => {
      throw refused(`Cannot rename "${from}": ${(error as Error).message}.`, hintFor(error), error);
    });
  });
}

function hintFor(error: unknown): string {
  return (error as { code?: string }).code === "55006"
    ? "Nothing was changed. End the connections to it (applications, psql, a job that is running), then run again."
    : "Nothing was changed.";
}

function refused(message: string, hint: string, cause?: unknown): OperationError {
  return new OperationError(message, { hint, exitCode: exitCode.notAllowed, cause });
}
