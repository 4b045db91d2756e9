import { NotKnown, type Observer } from "../connection/observer.ts";
import { requireAllStats } from "./sessions.ts";
import { duration } from "./text.ts";

interface ObservationRow {
  since: Date | null;
  standbys: number;
  /** Physical slots without a connection: their standbys can come back, and were perhaps read meanwhile. */
  absent: string[];
  now: Date;
}

/**
 * Checks that the server counts activity.
 *
 * @throws NotKnown if it does not: old numbers, or zeros, would look like an answer
 */
export async function requireCounts(observer: Observer): Promise<void> {
  const [row] = await observer.query<{ counts: string }>("select current_setting('track_counts') as counts");
  if (row?.counts !== "on") throw new NotKnown("the server counts no activity: track_counts is off");
}

/**
 * Returns the time since which use has been counted in this database. The server does not record it, so this is the
 * latest time that can be proved: the reset of the database's statistics, or of the server's (a crash or a restore
 * resets all), or the first vacuum or analyze that the same statistics recorded.
 *
 * @throws NotKnown if that is not long enough, or reads go to other servers, too
 */
export async function observedSince(observer: Observer, days: number): Promise<Date> {
  await requireCounts(observer);
  const [row] = await observer.query<ObservationRow>(`
    select case when coalesce(own.stats_reset, first_seen) is not null
                then greatest(server.stats_reset, own.stats_reset, case when own.stats_reset is null then first_seen end) end as since,
           (select count(*)::int from pg_stat_replication where state = 'streaming') as standbys,
           array(select slot_name::text from pg_replication_slots where slot_type = 'physical' and not active order by 1) as absent,
           clock_timestamp() as now
      from (select stats_reset from pg_stat_bgwriter) server,
           (select stats_reset from pg_stat_database where datname = current_database()) own,
           (select min(least(last_vacuum, last_autovacuum, last_analyze, last_autoanalyze)) as first_seen
              from pg_stat_all_tables join pg_class c on c.oid = relid where not relisshared) maintenance`);
  if (row === undefined) throw new NotKnown("the server shows no statistics of this database");
  const { since, standbys, absent, now } = row;
  if (observer.facts.inRecovery) throw new NotKnown("this server is a standby, and statements also run on the primary");
  // For other roles, the state of a standby is null.
  if (!observer.facts.readsAllStats) throw new NotKnown(requireAllStats);
  if (standbys > 0)
    throw new NotKnown(`${standbys} standby servers are connected, and statements on them are not counted here`);
  if (absent.length > 0)
    throw new NotKnown(
      `statements on standbys are not counted here, and these slots belong to some: ${absent.join(", ")}`,
    );
  if (since === null) throw new NotKnown("the server does not say since when it counts use of this database");
  const seconds = (now.getTime() - since.getTime()) / 1_000;
  if (seconds < days * 86_400)
    throw new NotKnown(
      `use has been counted for ${duration(seconds)} only (since ${since.toISOString()}), not for ${days} days`,
    );
  return since;
}
