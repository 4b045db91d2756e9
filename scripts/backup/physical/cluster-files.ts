import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { unlessAbsent } from "../../core/absent.ts";
import { OperationError } from "../../core/operation-error.ts";
import { isTemporary } from "../../core/temporary.ts";

/** Path of the control file in a data directory. No server starts without it. */
export const controlFile = "global/pg_control";

/** A file or folder of a data directory. */
export interface ClusterEntry {
  kind: "file" | "directory";
  /** Relative to the data directory. */
  path: string;
  mode: number;
}

/**
 * Folders whose contents are left out (PostgreSQL's documentation, "Backing Up the Data Directory"): the server creates
 * or empties them at a start, or a copy must not have them. Needed WAL is added apart.
 */
const emptied = new Set([
  ...["pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans"],
]);

/** Files of a running server or an earlier backup, at the top of a data directory. */
const leftOutAtTop = new Set([
  ...["postmaster.pid", "postmaster.opts", "current_logfiles", "current_logfiles.tmp", "postgresql.auto.conf.tmp"],
  ...["backup_label", "backup_label.old", "tablespace_map", "tablespace_map.old", "backup_manifest"],
  ...["recovery.signal", "standby.signal"],
]);

/** Matches relations of sessions, such as `t3_16384`. */
const ofSession = /^t\d+_\d+/;

/** Matches the files of a relation: its number, the kind of the file, and the number of its part. */
const relationFile = /^(\d+)(?:_(fsm|vm|init))?(?:\.\d+)?$/;

/**
 * Lists the entries of a data directory that belong into a copy of it, except the control file. A file that vanishes
 * meanwhile is normal: its database or table was dropped.
 *
 * @throws OperationError if the data directory reaches other folders by links, which a copy would lack
 */
export async function* clusterEntries(data: string, folder = ""): AsyncGenerator<ClusterEntry> {
  const found = (await unlessAbsent(readdir(join(data, folder), { withFileTypes: true }))) ?? [];
  const unlogged = folder.startsWith("base/") ? unloggedRelations(found) : new Set();
  for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (isLeftOut(entry.name, folder) || path === controlFile) continue;
    const [, relation, kind] = relationFile.exec(entry.name) ?? [];
    // A restore empties unlogged tables: their first state is in the file `…_init`.
    if (relation !== undefined && kind !== "init" && unlogged.has(relation)) continue;
    const stats = await unlessAbsent(lstat(join(data, path)));
    if (stats === undefined) continue;
    // PostgreSQL itself allows a link to the folder of the WAL.
    const isWal = path === "pg_wal";
    if (stats.isSymbolicLink() && !isWal) throw linked(path, data);
    if (stats.isDirectory() || isWal) {
      yield { kind: "directory", path, mode: isWal ? 0o700 : stats.mode & 0o777 };
      if (!emptied.has(path)) yield* clusterEntries(data, path);
    } else if (stats.isFile()) yield { kind: "file", path, mode: stats.mode & 0o777 };
  }
}

function isLeftOut(name: string, folder: string): boolean {
  if (isTemporary(name) || name.startsWith("pgsql_tmp") || name === "pg_internal.init") return true;
  if (folder === "") return leftOutAtTop.has(name);
  return folder.startsWith("base/") && ofSession.test(name);
}

/** Returns the numbers of the relations that have a file for their first state. */
function unloggedRelations(entries: readonly Dirent[]): Set<string> {
  return new Set(entries.flatMap(({ name }) => /^(\d+)_init$/.exec(name)?.[1] ?? []));
}

function linked(path: string, data: string): OperationError {
  return new OperationError(
    `The data directory has a link: ${join(data, path)}. A physical archive would lack its target.`,
    {
      hint: "Replace the link by what it leads to, or make dumps: `npm run pgw -- backup dump`.",
    },
  );
}
