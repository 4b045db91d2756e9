import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import { type Connection, inDatabase } from "../../connection/connection.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { readMigrations } from "../dump/content.ts";
import type { ArchivedDatabase } from "./metadata.ts";

/** Facts about a running server that an archive of its cluster needs. */
export interface LiveCluster {
  /** Data directory, on this machine. */
  data: string;
  version: string;
  major: number;
  systemIdentifier: string;
  timeline: number;
  segmentBytes: number;
}

interface Row extends LiveCluster {
  isStandby: boolean;
  walLevel: string;
  tablespaces: string[];
}

/**
 * Reads the facts about a server, and refuses one whose data directory cannot be copied.
 *
 * @param major version that a restored copy can be started with
 * @throws OperationError (not allowed) with the reason
 */
export async function readLiveCluster(client: Client, major: number): Promise<LiveCluster> {
  // Nobody else may read the following.
  const { rows: roles } = await client.query("select from pg_roles where rolname = current_user and rolsuper");
  if (roles.length === 0) throw refused("this role is no superuser", "Connect as superuser.");
  const { rows } = await client.query<Row>(
    `select current_setting('data_directory') as data, split_part(current_setting('server_version'), ' ', 1) as version,
            current_setting('server_version_num')::int / 10000 as major,
            (select system_identifier::text from pg_control_system()) as "systemIdentifier",
            (select timeline_id from pg_control_checkpoint()) as timeline,
            (select setting::int from pg_settings where name = 'wal_segment_size') as "segmentBytes",
            pg_is_in_recovery() as "isStandby", current_setting('wal_level') as "walLevel",
            array(select spcname::text from pg_tablespace
                   where spcname not in ('pg_default', 'pg_global') order by 1) as tablespaces`,
  );
  const [found] = rows;
  if (found === undefined) throw new Error("the server did not describe itself");
  const { isStandby, walLevel, tablespaces, ...live } = found;
  if (live.major !== major)
    throw refused(`the server is PostgreSQL ${live.major}`, `Only servers of version ${major} can be started here.`);
  if (isStandby) throw refused("the server is a standby", "Make the archive of its primary.");
  if (walLevel === "minimal")
    throw refused("wal_level is minimal, so the WAL has no complete changes", "Set wal_level to replica.");
  if (tablespaces.length > 0)
    throw refused(
      `the server has tablespaces (${tablespaces.join(", ")}), whose folders are elsewhere`,
      "Move their tables to pg_default and drop them, or make dumps: `npm run pgw -- backup dump`.",
    );
  await requireLocal(client, live.data);
  return live;
}

/** Requires that a data directory of this machine is that of the server. */
async function requireLocal(client: Client, data: string): Promise<void> {
  const { rows } = await client.query<{ text: string }>("select pg_read_file('postmaster.pid') as text");
  let found: string;
  try {
    found = await readFile(join(data, "postmaster.pid"), "utf8");
  } catch (error) {
    throw refused(`its data directory ${data} cannot be read here: ${(error as Error).message}`, onItsMachine);
  }
  if (found !== rows[0]?.text) throw refused(`${data} is the data directory of another server here`, onItsMachine);
}

const onItsMachine = "Run the command on the server's machine, as its user or root.";

function refused(reason: string, hint: string): OperationError {
  return new OperationError(`No physical archive can be made: ${reason}.`, { hint, exitCode: exitCode.notAllowed });
}

/** Reads the names of all databases that accept connections, and their migrations. */
export async function readDatabases(connection: Connection): Promise<ArchivedDatabase[]> {
  const names = await withClient(connection, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "select datname as name from pg_database where not datistemplate and datallowconn and datconnlimit <> -2 order by 1",
    );
    return rows.map(({ name }) => name);
  });
  const databases: ArchivedDatabase[] = [];
  for (const name of names)
    databases.push({ name, migrations: await withClient(inDatabase(connection, name), readMigrations) });
  return databases;
}

/** Returns what both lists have: databases and migrations that existed all the time between two reads. */
export function inBoth(before: readonly ArchivedDatabase[], after: readonly ArchivedDatabase[]): ArchivedDatabase[] {
  return before.flatMap(({ name, migrations }) => {
    const later = after.find((each) => each.name === name);
    if (later === undefined) return [];
    const kept = migrations?.filter((file) => later.migrations?.includes(file)) ?? null;
    return [{ name, migrations: later.migrations === null ? null : kept }];
  });
}
