import { join } from "node:path";
import { type Connection, describeConnection } from "../connection/connection.ts";
import { environmentSource, fromEnvironment, rootFromEnvironment } from "../connection/environment.ts";
import { fromUrl } from "../connection/url.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { databaseFolder, listDatabases, requireDatabase } from "../databases/database-file.ts";
import { ownerOf } from "../docker/names.ts";
import { upCommand } from "../model/command-lines.ts";
import type { ServerOutput } from "../model/stack-outputs.ts";
import type { ScratchDocker } from "../scratch/request.ts";
import { localStack } from "../stack/local-stack.ts";
import type { CommandContext } from "./context.ts";
import { refuseInCopy } from "./refuse-in-copy.ts";
import { lineToType } from "./typed-line.ts";

/** Options that choose the target of a data command. */
export interface TargetOptions {
  stack?: string;
  database?: string;
  url?: string;
}

/** The database that a data command works on. */
export interface Target {
  connection: Connection;
  /** Login for hooks marked `root`: the stack's superuser, `ROOT_DATABASE_URL`, or the connection itself. */
  admin: Connection;
  /** Docker engine in which a trial can start a container: the stack's, or this machine's own. */
  docker: ScratchDocker;
  /** Name of the folder in migrations/. */
  database: string;
  /** Absolute path of that folder. */
  folder: string;
  /** Name for messages: `trading of stack local`, or the connection without its password. */
  label: string;
  /** Seed sets that are applied by default, in order: the stack's. Undefined if only a connection is known. */
  seedSets: string[] | undefined;
  /** True if it belongs to a protected stack. Undefined if only a connection is known. */
  protected: boolean | undefined;
  /** The stack's server. Undefined if only a connection is known. */
  server: ServerOutput | undefined;
}

/**
 * Finds the one database for a data command: `--url`, else a named stack, else `DATABASE_URL`, `DB_*` or `PG*`, else
 * the local stack.
 *
 * @param role the role to log in with on a stack
 */
export async function resolveTarget(
  context: CommandContext,
  options: TargetOptions,
  role = "migrator",
): Promise<Target> {
  const connection = givenConnection(context, options);
  return connection === undefined ? ofStack(context, options, role) : ofConnection(context, options, connection);
}

/**
 * Finds the one database for a command that changes it, as {@link resolveTarget} does.
 *
 * @throws OperationError (not allowed) in a copy of the stack's project directory
 */
export async function targetToChange(
  context: CommandContext,
  options: TargetOptions,
  role = "migrator",
): Promise<Target> {
  if (givenConnection(context, options) === undefined) await refuseInCopy(context, options.stack ?? localStack);
  return resolveTarget(context, options, role);
}

/**
 * Finds the databases for a command that only reads: all of the stack, or the one of {@link resolveTarget} if a
 * database or a connection is given.
 */
export async function resolveTargets(
  context: CommandContext,
  options: TargetOptions,
  role = "migrator",
): Promise<Target[]> {
  if (options.database !== undefined || givenConnection(context, options) !== undefined)
    return [await resolveTarget(context, options, role)];
  const { outputs, target } = await readStack(context, options, role);
  return Object.keys(outputs.databases).map(target);
}

/**
 * Returns the connection of `--url`, or that of `DATABASE_URL`, `DB_*` or `PG*` if no stack is named. Undefined if a
 * stack is meant.
 */
export function givenConnection(context: CommandContext, options: TargetOptions): Connection | undefined {
  if (options.url === undefined) {
    if (options.stack !== undefined) return undefined;
    // Its own errors name the variables.
    const connection = fromEnvironment(context.env);
    const source = environmentSource(context.env);
    if (source !== undefined) context.targetSource = source;
    return connection;
  }
  if (options.stack === undefined) return fromUrl(options.url, context.env);
  throw new OperationError("--url and --stack exclude each other.", { exitCode: exitCode.usage });
}

async function ofConnection(context: CommandContext, options: TargetOptions, connection: Connection): Promise<Target> {
  const database = await folderFor(context, options, connection);
  // Print it, because a variable left in a shell is easily forgotten.
  const label = describeConnection(connection);
  context.out.note(`target: ${label}`);
  return {
    connection,
    admin: rootFromEnvironment(context.env) ?? connection,
    docker: { owner: { project: "pgroundwork", stack: "no-stack", owner: ownerOf(undefined, context.root) } },
    database,
    folder: databaseFolder(migrationsOf(context), database),
    label,
    seedSets: undefined,
    protected: undefined,
    server: undefined,
  };
}

async function ofStack(context: CommandContext, options: TargetOptions, role: string): Promise<Target> {
  const { stack, outputs, target } = await readStack(context, options, role);
  const names = Object.keys(outputs.databases);
  const [only] = names;
  const database = options.database ?? (names.length === 1 ? only : undefined);
  if (names.length === 0)
    throw new OperationError(`Stack "${stack}" has no database.`, {
      hint: `Run \`${upCommand(stack)}\`. It creates those in the settings (pgroundwork:databases).`,
      exitCode: exitCode.usage,
    });
  if (database === undefined) throw severalDatabases(`Stack "${stack}" has ${names.length} databases`, names);
  return target(database);
}

/** Reads a stack's outputs and returns a function that makes targets of its databases. */
async function readStack(context: CommandContext, options: TargetOptions, role: string) {
  const stack = options.stack ?? localStack;
  const { connectionTo } = await import("../stack/outputs.ts");
  const { outputsOf } = await import("./stack.ts");
  const outputs = await outputsOf(context, stack, true);
  const docker = await dockerOf(context, stack, outputs.server);
  const target = (database: string): Target => ({
    connection: connectionTo(outputs, stack, database, role),
    admin: connectionTo(outputs, stack, database, "superuser"),
    docker,
    database,
    folder: databaseFolder(migrationsOf(context), database),
    label: `${database} of stack ${stack}`,
    seedSets: (outputs.databases[database]?.seeds ?? []).map(({ set }) => set),
    protected: outputs.protected,
    server: outputs.server,
  });
  return { stack, outputs, target };
}

/** Returns the error for an ambiguous database, with the command to type for each. */
function severalDatabases(what: string, names: readonly string[]): OperationError {
  const lines = names.map((name) => `  ${lineToType(["--database", name])}`);
  return new OperationError(`${what}: ${names.join(", ")}.`, {
    hint: ["Name one with --database:", ...lines].join("\n  "),
    exitCode: exitCode.usage,
  });
}

/**
 * Returns the Docker settings for trials. They contain the stack's labels, so that `recover` finds a container that a
 * killed command left. They contain the stack's own image, if it has one.
 */
async function dockerOf(context: CommandContext, stack: string, server: ServerOutput): Promise<ScratchDocker> {
  const { projectName } = await import("../stack/project.ts");
  const labels = { project: await projectName(context.root), stack };
  if (server.kind !== "docker") {
    const { withBackend } = await import("../stack/backend.ts");
    const { PULUMI_BACKEND_URL: backend } = withBackend(context.root, stack, context.env);
    return { owner: { ...labels, owner: ownerOf(backend, context.root) } };
  }
  return { host: server.dockerHost, owner: { ...labels, owner: server.owner }, imageOf: server.container };
}

/**
 * Returns the folder of a database for a command that needs no server: the named one, or the only one.
 *
 * @returns an absolute path
 */
export async function resolveFolder(context: CommandContext, database: string | undefined): Promise<string> {
  const folders = await listDatabases(migrationsOf(context));
  const name = database ?? (folders.length === 1 ? folders[0] : undefined);
  if (name === undefined) throw severalDatabases(`There are ${folders.length} databases`, folders);
  await requireDatabase(migrationsOf(context), name);
  return databaseFolder(migrationsOf(context), name);
}

/** Returns the folder for a connection: the named one, the one with the database's name, or the only one. */
async function folderFor(context: CommandContext, options: TargetOptions, connection: Connection): Promise<string> {
  const folders = await listDatabases(migrationsOf(context));
  if (options.database !== undefined) {
    await requireDatabase(migrationsOf(context), options.database);
    return options.database;
  }
  if (folders.includes(connection.database)) return connection.database;
  const [only] = folders;
  if (folders.length === 1 && only !== undefined) return only;
  throw new OperationError(
    `migrations/ has no folder for the database "${connection.database}" (there are: ${folders.join(", ")}).`,
    {
      hint: "Name the folder that belongs to it with --database.",
      exitCode: exitCode.usage,
    },
  );
}

function migrationsOf(context: CommandContext): string {
  return join(context.root, "migrations");
}
