import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join, relative } from "node:path";
import { withClient } from "../../scripts/connection/client.ts";
import { type Connection, inDatabase } from "../../scripts/connection/connection.ts";

/** Data that changes by itself: statistics, and columns that vacuum writes. */
const restless = ["pg_statistic", "pg_statistic_ext_data"];
const restlessColumns = "{relpages,reltuples,relallvisible,relfrozenxid,relminmxid,datfrozenxid,datminmxid}";

/**
 * Returns a digest of each table of each database, including the system catalogs, with the server's settings and WAL
 * file. A change by any statement changes one of these values.
 *
 * @param superuser connection to any database
 */
export async function clusterFingerprint(superuser: Connection): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  await withClient(superuser, async (client) => {
    const { rows } = await client.query(
      `select pg_walfile_name(pg_current_wal_lsn()) as wal, pg_conf_load_time()::text as loaded,
              pg_read_file('postgresql.auto.conf') as settings,
              (select string_agg(pid::text, ',' order by pid) from pg_stat_activity where backend_type <> 'client backend'
                  and backend_type not like 'autovacuum worker%' and backend_type <> 'parallel worker') as processes`,
    );
    found.server = JSON.stringify(rows);
  });
  const databases = await withClient(superuser, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "select datname as name from pg_database where datallowconn order by 1",
    );
    return rows.map(({ name }) => name);
  });
  for (const database of databases) {
    await withClient(inDatabase(superuser, database), async (client) => {
      const { rows: tables } = await client.query<{ name: string }>(
        `select oid::regclass::text as name from pg_class where relkind in ('r', 'm', 'S') and relpersistence <> 't'
            and relname <> all ($1) order by 1`,
        [restless],
      );
      for (const { name } of tables) {
        const { rows } = await client.query<{ digest: string }>(
          `select count(*) || ' ' || md5(coalesce(string_agg(text, '|' order by text), '')) as digest
             from (select * from ${name}) as row, lateral (select (to_jsonb(row) - $1::text[])::text as text) texts`,
          [restlessColumns],
        );
        found[`${database} ${name}`] = rows[0]?.digest ?? "";
      }
    });
  }
  return found;
}

/** Returns a digest of every file below a folder: content and mode, or the target of a link. */
export async function folderFingerprint(folder: string, skipped: (path: string) => boolean = () => false) {
  const found: Record<string, string> = {};
  const visit = async (at: string): Promise<void> => {
    for (const entry of await readdir(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      const name = relative(folder, path);
      if (skipped(name)) continue;
      if (entry.isDirectory()) await visit(path);
      else if (entry.isSymbolicLink()) found[name] = await readlink(path);
      else if (entry.isFile()) {
        const { mode } = await lstat(path);
        found[name] = `${mode.toString(8)} ${createHash("sha256")
          .update(await readFile(path))
          .digest("hex")}`;
      }
    }
  };
  await visit(folder);
  return found;
}
