import { randomBytes } from "node:crypto";
import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import { type Connection, inDatabase } from "../../connection/connection.ts";
import { OperationError } from "../../core/operation-error.ts";
import { ownHolder } from "../../docker/scratch-holder.ts";
import { copyDatabaseProperties, databaseExists } from "../database-properties.ts";
import { swapDatabases } from "../database-swap.ts";
import { beginSnapshot, compareContent, lockTables, readContent } from "./content.ts";
import { createDump, type DumpOptions, type DumpSource, loginFor } from "./create.ts";
import { createDatabaseStatement, loadFiles, requireReadable } from "./load-files.ts";
import { type LoadPlan, loadingComment, loadingPrefix, replacedName } from "./load-plan.ts";
import type { DumpMetadata } from "./metadata.ts";
import type { StoredDump } from "./store.ts";
import { withDumpTools } from "./tools.ts";

/** Options of {@link loadDump}. */
export interface LoadOptions extends Omit<DumpOptions, "scope" | "kind" | "globals" | "reason"> {
  identityFile: string | undefined;
  /** Applies the migrations that the loaded database lacks, before it replaces the existing one. */
  migrate: ((database: string) => Promise<number>) | undefined;
}

/** Result of {@link loadDump}. */
export interface Loaded {
  tables: number;
  rows: number;
  /** Number of migrations that were applied after the load. */
  migrated: number;
  /** Number of sessions that were terminated. */
  terminated: number;
  /** Dump of the database that was replaced. undefined: there was none. */
  previous?: DumpMetadata;
  /** The replaced database, if it could not be dumped: its new name, and the reason. */
  kept?: { database: string; reason: string };
}

/**
 * Loads a dump in place of a database. The dump is loaded into a new database and compared with what was recorded when
 * it was made. Until then the existing database is in use and unchanged. Then both are renamed in one transaction, in
 * which no client can connect: a kill at any time leaves one or the other. The replaced database is dumped and then
 * dropped.
 *
 * @param target login to the database that is replaced
 * @param maintenance login to another database of the server
 * @throws OperationError; if the dump cannot be loaded, the existing database is in use as before
 */
export async function loadDump(
  dump: StoredDump & { metadata: DumpMetadata },
  target: DumpSource,
  maintenance: Connection,
  plan: LoadPlan,
  options: LoadOptions,
): Promise<Loaded> {
  const { docker, database } = target;
  await requireReadable(dump, options.identityFile);
  const loading = `${loadingPrefix}${randomBytes(6).toString("hex")}`;
  const loaded = await withDumpTools(
    { major: plan.major, docker, env: options.env, onProgress: options.onStep },
    async (tools) =>
      withClient(maintenance, async (client) => {
        for (const name of plan.leftovers) await dropDatabase(client, name);
        await createEmpty(client, loading, dump.metadata, plan, database);
        let isReplacing = false;
        try {
          const connection = inDatabase(maintenance, loading);
          options.onStep(`loading ${dump.id}`);
          const { identityFile, jobs, signal } = options;
          const login = loginFor(tools, { connection });
          await loadFiles(tools, dump, { connection: login, identityFile, jobs, isTrial: false, signal });
          await requireSame(connection, dump.metadata, plan.major, options);
          const migrated = (await options.migrate?.(loading)) ?? 0;
          options.signal.throwIfAborted();
          options.onStep(`replacing ${database}`);
          isReplacing = true;
          return { migrated, ...(await replace(client, database, loading, plan)) };
        } catch (error) {
          const state = await dropLoading(maintenance, loading, isReplacing);
          throw explained(error, stateText(state, database, plan));
        }
      }),
  );
  const { tables } = dump.metadata.content;
  const rows = tables.reduce((sum, each) => sum + each.rows, 0);
  const result = { tables: tables.length, rows, migrated: loaded.migrated, terminated: loaded.terminated };
  if (loaded.replaced === undefined) return result;
  return { ...result, ...(await dumpReplaced(target, maintenance, loaded.replaced, options)) };
}

async function createEmpty(
  client: Client,
  name: string,
  { content }: DumpMetadata,
  { existing }: LoadPlan,
  database: string,
): Promise<void> {
  const owner = existing?.owner ?? content.owner;
  const statement = createDatabaseStatement(
    client,
    name,
    content,
    owner === content.bootstrapSuperuser ? undefined : owner,
  );
  const tablespace = existing === undefined ? "" : ` tablespace ${client.escapeIdentifier(existing.tablespace)}`;
  await client.query(`${statement}${tablespace}`);
  const comment = client.escapeLiteral(`${loadingComment}${await ownHolder()}`);
  await client.query(`comment on database ${client.escapeIdentifier(name)} is ${comment}`);
  if (existing !== undefined) await copyDatabaseProperties(client, database, name);
}

/** Compares the loaded rows with those that were recorded when the dump was made. */
async function requireSame(
  connection: Connection,
  { content, server, scope }: DumpMetadata,
  major: number,
  { onStep, signal }: LoadOptions,
): Promise<void> {
  onStep("reading every row");
  const differences = await withClient(connection, async (client) => {
    await client.query(beginSnapshot);
    const found = await readContent(client, await lockTables(client), { scope: "full", signal });
    return compareContent(content, found, { scope, sameMajor: major === server.major });
  });
  if (differences.length === 0) return;
  throw new OperationError(
    ["The loaded database differs from what was dumped:", ...differences.map((text) => `- ${text}`)].join("\n"),
  );
}

/** Puts the loaded database in the place of the existing one, in one transaction. */
async function replace(
  client: Client,
  database: string,
  loading: string,
  { existing }: LoadPlan,
): Promise<{ terminated: number; replaced: string | undefined }> {
  const id = (name: string) => client.escapeIdentifier(name);
  const rename = `alter database ${id(loading)} rename to ${id(database)}`;
  if (existing === undefined) {
    await client.query(`${rename}; comment on database ${id(database)} is null`);
    return { terminated: 0, replaced: undefined };
  }
  const replaced = replacedName(database, new Date());
  return { terminated: await swapDatabases(client, { database, incoming: loading, replaced }), replaced };
}

/** Dumps the replaced database, and drops it once the dump is complete. If there is no dump, keeps the database. */
async function dumpReplaced(
  target: DumpSource,
  maintenance: Connection,
  replaced: string,
  options: LoadOptions,
): Promise<Pick<Loaded, "previous" | "kept">> {
  options.onStep("dumping the replaced database");
  try {
    const source = { ...target, connection: inDatabase(maintenance, replaced) };
    const previous = await createDump(source, {
      ...options,
      kind: "custom",
      scope: "full",
      globals: false,
      reason: "before-load",
    });
    await withClient(maintenance, (client) => dropDatabase(client, replaced));
    return { previous };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { kept: { database: replaced, reason: error.message } };
  }
}

async function dropDatabase(client: Client, name: string): Promise<void> {
  await client.query(`drop database if exists ${client.escapeIdentifier(name)}`);
}

/** State of the database after a failure. `unknown`: the connection was lost while it was replaced. */
type FailedState = "unchanged" | "replaced" | "unknown";

/** Drops the new database, unless it has replaced the existing one: then it no longer has its temporary name. */
async function dropLoading(maintenance: Connection, loading: string, isReplacing: boolean): Promise<FailedState> {
  try {
    return await withClient(maintenance, async (client) => {
      if (!(await databaseExists(client, loading))) return isReplacing ? "replaced" : "unchanged";
      await dropDatabase(client, loading);
      return "unchanged";
    });
  } catch {
    // The next load drops the new database.
    return isReplacing ? "unknown" : "unchanged";
  }
}

function stateText(state: FailedState, database: string, { existing }: LoadPlan): string {
  if (state === "replaced")
    return `The dump was loaded as "${database}". The former database is kept: its name begins with "${database}_before_".`;
  if (state === "unknown")
    return `It is not known if the database "${database}" was replaced. If there is a database "${database}_before_…", it was.`;
  return existing === undefined ? "Nothing was created." : `The database "${database}" was not changed.`;
}

/** Adds the state of the database to an error. Returns errors of the kit unchanged. */
function explained(error: unknown, state: string): unknown {
  if (error instanceof OperationError)
    return new OperationError(error.message, {
      hint: error.hint === undefined ? state : `${state} ${error.hint}`,
      exitCode: error.exitCode,
      cause: error,
    });
  const { code, severity, message } = error as { code?: string; severity?: string; message: string };
  if (severity === undefined) return error;
  return new OperationError(`The dump could not be loaded: ${message} (SQLSTATE ${code}).`, {
    hint: code === "55006" ? `${state} Stop the applications that keep connecting to it, then run again.` : state,
    cause: error,
  });
}
