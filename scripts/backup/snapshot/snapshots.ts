import { randomBytes } from "node:crypto";
import type { Client } from "pg";
import { z } from "zod";
import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { copyDatabaseProperties, databaseExists } from "../database-properties.ts";
import { inUse, swapDatabases, type TerminatedSession, withoutSessions } from "../database-swap.ts";

/*
 * A snapshot or branch is a database of the same server, copied as a template in seconds. A comment on it says what it
 * is, and of which database: names alone could belong to something else.
 */

const commentSchema = z.object({
  pgroundwork: z.enum(["snapshot", "branch"]),
  of: z.string(),
  name: z.string(),
  /** ISO 8601. */
  at: z.string(),
});

/** A copy of a database on the same server. */
export interface Snapshot {
  kind: "snapshot" | "branch";
  /** Database that was copied. */
  of: string;
  name: string;
  /** ISO 8601. */
  at: string;
  /** Database with the copy. */
  database: string;
  bytes: number;
}

/** A database whose snapshots are used, and a login to another database of its server. */
export interface SnapshotPlace {
  /** Login of a superuser. */
  maintenance: Connection;
  database: string;
}

/** Effect of a copy on the sessions of its database. */
export type SessionPolicy = "terminate" | "keep";

/** Longest name of a database in bytes. */
const longestName = 63;

/** Lists the snapshots and branches of a database, newest first. */
export async function listSnapshots({ maintenance, database }: SnapshotPlace): Promise<Snapshot[]> {
  return withClient(maintenance, (client) => readSnapshots(client, database));
}

async function readSnapshots(client: Client, of: string): Promise<Snapshot[]> {
  const { rows } = await client.query<{ database: string; comment: string; bytes: string }>(
    `select datname as database, shobj_description(oid, 'pg_database') as comment, pg_database_size(oid) as bytes
       from pg_database where shobj_description(oid, 'pg_database') like '{%"pgroundwork"%'`,
  );
  const found = rows.flatMap(({ database, comment, bytes }): Snapshot[] => {
    const parsed = parseComment(comment);
    if (parsed?.of !== of) return [];
    const { pgroundwork: kind, name, at } = parsed;
    return [{ kind, of, name, at, database, bytes: Number(bytes) }];
  });
  return found.sort((a, b) => (a.at < b.at ? 1 : -1));
}

function parseComment(text: string): z.output<typeof commentSchema> | undefined {
  try {
    return commentSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Copies a database as it is now. A template must have no sessions: by default, they are terminated.
 *
 * @param kind a snapshot accepts no connections; a branch has the roles of the database
 * @param sessions `keep` to terminate none, and to refuse a database that is in use
 * @throws OperationError (not allowed) if the name is taken, or the database is in use and its sessions are kept
 */
export async function saveSnapshot(
  { maintenance, database }: SnapshotPlace,
  name: string,
  kind: Snapshot["kind"],
  sessions: SessionPolicy = "terminate",
): Promise<Snapshot & { terminated: number; sessions: TerminatedSession[] }> {
  const copy = kind === "branch" ? `${database}_${name}` : `${database}_snapshot_${name}`;
  requireName(name, copy);
  return withClient(maintenance, async (client) => {
    await beOnlyCommand(client);
    await refusePrepared(client, database);
    if (await databaseExists(client, copy)) {
      throw new OperationError(`The server already has a database "${copy}".`, {
        hint: `Choose another name, or remove it: npm run pgw -- snapshot drop ${name}`,
        exitCode: exitCode.notAllowed,
      });
    }
    const temporary = temporaryName();
    const ended: TerminatedSession[] = [];
    const terminated = await copyDatabase(client, database, temporary, sessions, (more) => ended.push(...more));
    const at = new Date().toISOString();
    try {
      if (kind === "branch") await copyDatabaseProperties(client, database, temporary);
      else await client.query(`alter database ${client.escapeIdentifier(temporary)} allow_connections false`);
      const comment = JSON.stringify({ pgroundwork: kind, of: database, name, at });
      const [from, to] = [client.escapeIdentifier(temporary), client.escapeIdentifier(copy)];
      // In one transaction: a copy without its comment would not be found.
      await client.query(
        `alter database ${from} rename to ${to}; comment on database ${to} is ${client.escapeLiteral(comment)}`,
      );
    } catch (error) {
      await drop(client, temporary).catch(() => {});
      throw error;
    }
    const made = (await readSnapshots(client, database)).find((each) => each.database === copy);
    if (made === undefined) throw new Error("the new snapshot was not found");
    return { ...made, terminated, sessions: ended };
  });
}

/**
 * Refuses a database with prepared transactions, before any session of it is terminated: they use it without a session.
 *
 * @throws OperationError (not allowed)
 */
async function refusePrepared(client: Client, database: string): Promise<void> {
  const { rows } = await client.query<{ gid: string }>(
    "select gid from pg_prepared_xacts where database = $1 order by 1",
    [database],
  );
  if (rows.length === 0) return;
  throw new OperationError(
    `The database "${database}" has prepared transactions (${rows.map(({ gid }) => gid).join(", ")}), and cannot be copied.`,
    {
      hint: "Nothing was changed. End them in this database with COMMIT PREPARED or ROLLBACK PREPARED, then run again.",
      exitCode: exitCode.notAllowed,
    },
  );
}

/**
 * Puts a copy of a snapshot in the place of its database, which is dropped. The snapshot stays.
 *
 * @throws OperationError (wrong usage) if there is no such snapshot
 */
export async function restoreSnapshot(
  { maintenance, database }: SnapshotPlace,
  name: string,
): Promise<{ snapshot: Snapshot; terminated: number; sessions: TerminatedSession[] }> {
  return withClient(maintenance, async (client) => {
    await beOnlyCommand(client);
    const snapshot = await findSnapshot(client, database, name);
    await refusePrepared(client, database);
    const incoming = temporaryName();
    try {
      await copyDatabase(client, snapshot.database, incoming, "terminate");
      await copyDatabaseProperties(client, database, incoming);
      const replaced = temporaryName();
      const sessions: TerminatedSession[] = [];
      const terminated = await swapDatabases(client, { database, incoming, replaced }, (more) =>
        sessions.push(...more),
      );
      await drop(client, replaced);
      return { snapshot, terminated, sessions };
    } catch (error) {
      await drop(client, incoming).catch(() => {});
      throw error;
    }
  });
}

/**
 * Drops a snapshot or branch. Sessions of a branch are terminated.
 *
 * @throws OperationError (wrong usage) if there is none
 */
export async function dropSnapshot({ maintenance, database }: SnapshotPlace, name: string): Promise<Snapshot> {
  return withClient(maintenance, async (client) => {
    const snapshot = await findSnapshot(client, database, name);
    await withoutSessions(client, snapshot.database, () => drop(client, snapshot.database));
    return snapshot;
  });
}

/** Key of the advisory lock of commands that copy databases of a server. */
const lockKey = "74768639676";

/**
 * Takes the lock of commands that copy databases, until the session ends. Then drops the unfinished copies of killed
 * commands.
 *
 * @throws OperationError (not allowed) if another command has the lock
 */
async function beOnlyCommand(client: Client): Promise<void> {
  const { rows } = await client.query<{ taken: boolean }>("select pg_try_advisory_lock($1) as taken", [lockKey]);
  if (rows[0]?.taken !== true) {
    throw new OperationError("Another command is copying a database of this server.", {
      hint: "Wait for its end, then run again.",
      exitCode: exitCode.notAllowed,
    });
  }
  const left = await client.query<{ name: string }>(
    "select datname as name from pg_database where starts_with(datname, $1)",
    [temporaryPrefix],
  );
  for (const { name } of left.rows) await drop(client, name);
}

/** Finds a snapshot or branch by its name. */
async function findSnapshot(client: Client, database: string, name: string): Promise<Snapshot> {
  const all = await readSnapshots(client, database);
  const found = all.find((each) => each.name === name);
  if (found !== undefined) return found;
  const names = all.length === 0 ? "There are none." : `There are: ${all.map((each) => each.name).join(", ")}.`;
  throw new OperationError(`The database "${database}" has no snapshot or branch "${name}". ${names}`, {
    exitCode: exitCode.usage,
  });
}

async function copyDatabase(
  client: Client,
  from: string,
  to: string,
  sessions: SessionPolicy,
  onTerminated?: (sessions: readonly TerminatedSession[]) => void,
): Promise<number> {
  const { rows } = await client.query<{ owner: string; server: number }>(
    `select pg_get_userbyid(datdba) as owner, current_setting('server_version_num')::int as server
       from pg_database where datname = $1`,
    [from],
  );
  const [found] = rows;
  if (found === undefined)
    throw new OperationError(`The server has no database "${from}".`, { exitCode: exitCode.usage });
  const id = (text: string) => client.escapeIdentifier(text);
  // The fastest way on the file systems that copy by reference. Older versions know no other.
  const strategy = found.server >= 150_000 ? " strategy file_copy" : "";
  const copy = () => client.query(`create database ${id(to)} template ${id(from)} owner ${id(found.owner)}${strategy}`);
  if (sessions === "terminate") return withoutSessions(client, from, copy, onTerminated);
  try {
    await copy();
    return 0;
  } catch (error) {
    throw (await inUseError(client, from, error)) ?? error;
  }
}

/** Explains a failure of a copy if the database is in use. */
async function inUseError(client: Client, database: string, error: unknown): Promise<OperationError | undefined> {
  const { code, detail } = error as { code?: string; detail?: string };
  if (code !== inUse) return undefined;
  const { rows } = await client.query<{ session: string }>(
    `select distinct format('%s (%s)', coalesce(nullif(application_name, ''), 'unnamed'), usename) as session
       from pg_stat_activity where datname = $1 and backend_type = 'client backend' order by 1`,
    [database],
  );
  const users =
    rows.length === 0 ? (detail ?? "it is not known by what") : rows.map(({ session }) => session).join(", ");
  return new OperationError(`The database "${database}" is in use: ${users}.`, {
    hint: "Close these sessions, then run again.",
    exitCode: exitCode.notAllowed,
    cause: error,
  });
}

function requireName(name: string, copy: string): void {
  if (/^[a-z][a-z0-9_]*$/.test(name) && Buffer.byteLength(copy) <= longestName) return;
  throw new OperationError(`"${name}" cannot be the name of a snapshot.`, {
    hint: `Use lower-case letters, digits and underscores, up to ${longestName - (copy.length - name.length)} characters.`,
    exitCode: exitCode.usage,
  });
}

/** Prefix of databases that are being copied, or that were just replaced. */
const temporaryPrefix = "pgw_copy_";

function temporaryName(): string {
  return `${temporaryPrefix}${randomBytes(6).toString("hex")}`;
}

async function drop(client: Client, database: string): Promise<void> {
  await client.query(`drop database if exists ${client.escapeIdentifier(database)}`);
}
