import { NotKnown } from "../../connection/observer.ts";
import type { Check } from "../check.ts";
import { requireAllStats, type Session, sessionProblem } from "../sessions.ts";
import { duration } from "../text.ts";

interface Row extends Session {
  waiting: number;
  longestSeconds: number;
}

/**
 * Follows the chains of sessions that wait for locks to those that wait for none. Only sessions that already wait are
 * asked for their blockers, because `pg_blocking_pids` stops the lock manager for a moment.
 */
const query = `
  with recursive waiting as (
    select a.pid, pg_blocking_pids(a.pid) as blockers, extract(epoch from clock_timestamp() - l.waitstart)::float8 as seconds
      from pg_stat_activity a join pg_locks l on l.pid = a.pid and not l.granted
     where a.wait_event_type = 'Lock' and l.waitstart is not null
  ), chain as (
    select pid as victim, unnest(blockers) as blocker, seconds from waiting
    union
    select victim, unnest(w.blockers), chain.seconds from chain join waiting w on w.pid = chain.blocker
  )
  select a.pid, usename::text as role, application_name as application, datname::text as database,
         extract(epoch from clock_timestamp() - xact_start)::float8 as seconds, backend_start::text as "startedAt",
         count(distinct victim)::int as waiting, max(chain.seconds) as "longestSeconds"
    from chain join pg_stat_activity a on a.pid = chain.blocker
   where not exists (select from waiting where waiting.pid = a.pid)
   group by a.pid, usename, application_name, datname, xact_start, backend_start
  having max(chain.seconds) >= $1
   order by max(chain.seconds) desc`;

export const blockedSession: Check = {
  name: "blocked-session",
  title: "A session blocks others",
  scope: "server",
  async find(observer, { blockedSeconds }) {
    if (!observer.facts.readsAllStats) throw new NotKnown(requireAllStats);
    const rows = await observer.query<Row>(query, [blockedSeconds]);
    const problems = rows.map((row) =>
      sessionProblem(
        row,
        `blocks ${row.waiting} waiting sessions, the longest for ${duration(row.longestSeconds)}; its own transaction has run for`,
        "",
      ),
    );
    return { problems };
  },
};
