import type Docker from "dockerode";
import { queryInContainer, SocketError } from "../../docker/server/query.ts";
import { isRunning } from "../../docker/server/running.ts";
import { askServerWal } from "../server-wal.ts";
import { formatLsn, parseLsn } from "../wal.ts";

/** Names and hashes of the applied migrations, by database. */
export type AppliedMigrations = Map<string, string[]>;

/** Applied migrations of the live server, and a position in the WAL after which it was read. */
export interface RecordedMigrations {
  applied: AppliedMigrations;
  lsn: bigint;
  timeline: number;
}

/** Result of the comparison of migrations. */
export type ComparedMigrations =
  | { compared: true /** Number of migrations that the copy must have. */; count: number; missing: string[] }
  | { compared: false; reason: string };

const databases = "select datname as database from pg_database where datallowconn and not datistemplate order by 1";
const exists = "select to_regclass('graphile_migrate.migrations') is not null as found";
const names = `select filename || ' (' || hash || ')' as name from graphile_migrate.migrations order by filename`;

/** Reads the applied migrations of a server in a container. Databases that cannot be read are left out. */
export async function readApplied(docker: Docker, container: string): Promise<AppliedMigrations> {
  const applied: AppliedMigrations = new Map();
  for (const { database } of await queryInContainer<{ database: string }>(docker, container, databases)) {
    try {
      const [has] = await queryInContainer<{ found: boolean }>(docker, container, exists, database);
      if (has?.found !== true) continue;
      const rows = await queryInContainer<{ name: string }>(docker, container, names, database);
      applied.set(
        database,
        rows.map(({ name }) => name),
      );
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
    }
  }
  return applied;
}

/**
 * Reads the applied migrations of the live server.
 *
 * @returns the reason if the server cannot be asked
 */
export async function recordMigrations(docker: Docker, server: string): Promise<RecordedMigrations | string> {
  if (!(await isRunning(docker, server))) return "the stack's server is not running";
  try {
    const applied = await readApplied(docker, server);
    // After the migrations: what was visible was committed before this position.
    const { written } = await askServerWal(docker, server);
    return "unknown" in written ? written.unknown : { applied, ...written };
  } catch (error) {
    if (error instanceof SocketError) return error.message;
    throw error;
  }
}

/** Returns true if a database of a restored copy has the migrations that it has on the live server. */
export function hasSameMigrations(
  database: string,
  live: RecordedMigrations | string,
  restored: AppliedMigrations,
): boolean {
  if (typeof live === "string") return false;
  const [has, wanted] = [restored.get(database) ?? [], live.applied.get(database) ?? []];
  return has.length === wanted.length && wanted.every((name) => has.includes(name));
}

/**
 * Compares the migrations of a restored copy with those of the live server. A migration that was reverted meanwhile is
 * not missing.
 *
 * @param before read before the restore; a text is the reason why it was not read
 * @param now read after the restore
 */
export function compareMigrations(
  before: RecordedMigrations | string,
  restored: AppliedMigrations,
  now: RecordedMigrations | string,
  reached: { lsn: string; timeline: number },
): ComparedMigrations {
  const unread = [before, now].find((each) => typeof each === "string");
  if (typeof before === "string" || typeof now === "string")
    return { compared: false, reason: `the migrations of the live server could not be read: ${unread}` };
  if (before.timeline !== reached.timeline)
    return {
      compared: false,
      reason: `the live server is on timeline ${before.timeline}, the copy on ${reached.timeline}`,
    };
  if (parseLsn(reached.lsn) < before.lsn)
    return {
      compared: false,
      reason: `the archive ends at ${reached.lsn}, before ${formatLsn(before.lsn)}, where they were read`,
    };
  const missing: string[] = [];
  let count = 0;
  for (const [database, expected] of before.applied) {
    const [has, kept] = [restored.get(database) ?? [], now.applied.get(database) ?? []];
    const wanted = expected.filter((name) => kept.includes(name));
    count += wanted.length;
    missing.push(...wanted.filter((name) => !has.includes(name)).map((name) => `${database}: ${name}`));
  }
  return { compared: true, count, missing };
}
