import { join } from "node:path";
import { databaseFolder, listDatabases, requireDatabase } from "../../database/database-file.ts";
import { exitCode, OperationError } from "../../errors/operation-error.ts";
import { localStack } from "../../stack/stacks.ts";
import { type Connection, describeConnection } from "../../target/connection.ts";
import { fromEnvironment, rootFromEnvironment } from "../../target/environment.ts";
import { fromUrl } from "../../target/url.ts";
import { readyEngine } from "./engine.ts";
import type { Run } from "./run.ts";

export interface TargetOptions {
  stack?: string;
  database?: string;
  url?: string;
}

/** What a data command works on. */
export interface Target {
  connection: Connection;
  /** Who may make databases beside it: the stack's superuser, `ROOT_DATABASE_URL`, or the connection itself. */
  admin: Connection;
  /** Name of the folder below migrations/. */
  database: string;
  /** The folder itself, absolute. */
  folder: string;
  /** For messages: `trading of stack local`, or the connection without its password. */
  label: string;
  /** The seed sets that are applied by default, in order: the stack's, or none where only a connection is known. */
  seedSets: string[] | undefined;
  /** Whether it belongs to a stack that holds real data; undefined where only a connection is known. */
  protected: boolean | undefined;
}

/**
 * Finds the one database that a data command means: `--url`, else a stack that is named, else `DATABASE_URL`, `DB_*` or `PG*`, else the local stack.
 *
 * @param role what to log in as on a stack
 */
export async function resolveTarget(run: Run, options: TargetOptions, role = "migrator"): Promise<Target> {
  const connection = givenConnection(run, options);
  return connection === undefined ? ofStack(run, options, role) : ofConnection(run, options, connection);
}

/** The connection of `--url`, or where no stack is named of `DATABASE_URL`, `DB_*` or `PG*`; undefined where a stack is meant. */
export function givenConnection(run: Run, options: TargetOptions): Connection | undefined {
  if (options.url === undefined) return options.stack === undefined ? fromEnvironment(run.env) : undefined;
  if (options.stack === undefined) return fromUrl(options.url, run.env);
  throw new OperationError("--url and --stack exclude each other.", { exitCode: exitCode.usage });
}

async function ofConnection(run: Run, options: TargetOptions, connection: Connection): Promise<Target> {
  const database = await folderFor(run, options, connection);
  // Named, since a variable that was left in a shell is easily forgotten.
  const label = describeConnection(connection);
  run.out.note(`target: ${label}`);
  return {
    connection,
    admin: rootFromEnvironment(run.env) ?? connection,
    database,
    folder: databaseFolder(migrationsOf(run), database),
    label,
    seedSets: undefined,
    protected: undefined,
  };
}

async function ofStack(run: Run, options: TargetOptions, role: string): Promise<Target> {
  const stack = options.stack ?? localStack;
  const { connectionTo, onlyDatabase, readOutputs } = await import("../../stack/outputs.ts");
  const engine = await readyEngine(run, { quiet: true });
  const outputs = await readOutputs(engine, run.root, stack, true);
  const database = options.database ?? onlyDatabase(outputs, stack);
  return {
    connection: connectionTo(outputs, stack, database, role),
    admin: connectionTo(outputs, stack, database, "superuser"),
    database,
    folder: databaseFolder(migrationsOf(run), database),
    label: `${database} of stack ${stack}`,
    seedSets: (outputs.databases[database]?.seeds ?? []).map(({ set }) => set),
    protected: outputs.protected,
  };
}

/**
 * The folder of a database where no server is asked: the one named, or the only one.
 *
 * @returns absolute
 */
export async function resolveFolder(run: Run, database: string | undefined): Promise<string> {
  const folders = await listDatabases(migrationsOf(run));
  const name = database ?? (folders.length === 1 ? folders[0] : undefined);
  if (name === undefined) {
    throw new OperationError(`Which database is meant? There are: ${folders.join(", ")}.`, {
      remedy: "Say it with --database.",
      exitCode: exitCode.usage,
    });
  }
  await requireDatabase(migrationsOf(run), name);
  return databaseFolder(migrationsOf(run), name);
}

/** The folder that belongs to a connection: the one named, the one of the database's name, or the only one. */
async function folderFor(run: Run, options: TargetOptions, connection: Connection): Promise<string> {
  const folders = await listDatabases(migrationsOf(run));
  if (options.database !== undefined) {
    await requireDatabase(migrationsOf(run), options.database);
    return options.database;
  }
  if (folders.includes(connection.database)) return connection.database;
  const [only] = folders;
  if (folders.length === 1 && only !== undefined) return only;
  throw new OperationError(
    `No folder in migrations/ has the name of the database "${connection.database}" (there are: ${folders.join(", ")}).`,
    {
      remedy: "Say which belongs to it with --database.",
      exitCode: exitCode.usage,
    },
  );
}

function migrationsOf(run: Run): string {
  return join(run.root, "migrations");
}
