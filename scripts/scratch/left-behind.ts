import { randomBytes } from "node:crypto";
import type { Client } from "pg";

/** Names of scratch databases: the time in seconds tells how old one is. */
const namePattern = /^pgw_scratch_(\d+)_[0-9a-f]{8}$/;

/** How old one must be before it counts as left behind by a run that was killed, in seconds. */
const staleSeconds = 3600;

/** A name for a scratch database that is made now. */
export function newName(): string {
  return `pgw_scratch_${Math.floor(Date.now() / 1000)}_${randomBytes(4).toString("hex")}`;
}

/** A scratch database that somebody works in, or that a killed run left. */
export interface ScratchDatabase {
  name: string;
  made: Date;
  /** How many sessions are in it. */
  sessions: number;
  /** Nobody is in it, and it is so old that no run comes back to it. */
  stale: boolean;
}

/** The scratch databases of this role, and of roles that it is a member of. */
export async function listScratchDatabases(client: Client): Promise<ScratchDatabase[]> {
  const { rows } = await client.query<{ name: string; sessions: number }>(
    `select datname as name, (select count(*)::int from pg_stat_activity a where a.datid = d.oid) as sessions
       from pg_database d where datname like 'pgw\\_scratch\\_%' and pg_has_role(datdba, 'usage') order by 1`,
  );
  const oldest = Date.now() / 1000 - staleSeconds;
  return rows.flatMap(({ name, sessions }) => {
    const made = namePattern.exec(name)?.[1];
    if (made === undefined) return [];
    return [{ name, made: new Date(Number(made) * 1000), sessions, stale: sessions === 0 && Number(made) < oldest }];
  });
}

/** Only what nobody works in: another run's scratch database may be as old as its migrations are slow. */
export async function dropStale(client: Client): Promise<void> {
  for (const { name, stale } of await listScratchDatabases(client)) {
    // Two runs may find the same one; and a session that began meanwhile keeps it.
    if (stale) await client.query(`drop database if exists ${client.escapeIdentifier(name)}`).catch(() => {});
  }
}
