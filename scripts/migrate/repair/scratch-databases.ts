import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import type { DatabaseLeftover } from "./leftover.ts";

/** Pattern of scratch database names in version 0.1.0: the number is the time of creation, in seconds. */
const namePattern = /^pgw_scratch_(\d+)_[0-9a-f]{8}$/;

/** Age from which a scratch database counts as left behind by a killed run, in seconds. */
const staleSeconds = 3600;

interface ScratchDatabase {
  name: string;
  created: Date;
  /** Number of sessions in it. */
  sessions: number;
  /** True if it has no session and is too old to be used by a run. */
  isStale: boolean;
}

/**
 * Finds scratch databases that killed runs of version 0.1.0 left on the live server. Later versions use scratch
 * clusters.
 *
 * @param admin the login that created them
 */
export async function findScratchDatabases(admin: Connection): Promise<DatabaseLeftover[]> {
  const databases = await withClient(admin, listScratchDatabases, "pgroundwork repair");
  return databases
    .filter(({ sessions }) => sessions === 0)
    .map(({ name, created, isStale }) => {
      const found = `the scratch database ${name}, created on ${created.toISOString()}, was left and has no sessions`;
      const kind = "scratch-database" as const;
      if (!isStale) return { kind, found: `${found}; it is less than an hour old, so a run may still use it` };
      const drop = async (client: Client) =>
        void (await client.query(`drop database if exists ${client.escapeIdentifier(name)}`));
      return { kind, found, action: "drop it", act: () => withClient(admin, drop, "pgroundwork repair") };
    });
}

/** Lists the scratch databases of this role, and of roles that it is a member of. */
async function listScratchDatabases(client: Client): Promise<ScratchDatabase[]> {
  const { rows } = await client.query<{ name: string; sessions: number }>(
    `select datname as name, (select count(*)::int from pg_stat_activity a where a.datid = d.oid) as sessions
       from pg_database d where datname like 'pgw\\_scratch\\_%' and pg_has_role(datdba, 'usage') order by 1`,
  );
  const oldest = Date.now() / 1000 - staleSeconds;
  return rows.flatMap(({ name, sessions }) => {
    const seconds = namePattern.exec(name)?.[1];
    if (seconds === undefined) return [];
    const isStale = sessions === 0 && Number(seconds) < oldest;
    return [{ name, created: new Date(Number(seconds) * 1000), sessions, isStale }];
  });
}
