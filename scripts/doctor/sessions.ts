import type { Observer } from "../connection/observer.ts";
import type { Problem } from "./check.ts";
import { fix } from "./fix.ts";
import { duration } from "./text.ts";

/** A session in which a check found a problem. */
export interface Session {
  pid: number;
  role: string | null;
  application: string;
  database: string | null;
  seconds: number;
  /** As the server writes it: identifies the session if another one gets its process id. */
  startedAt: string;
}

/** Reason why sessions cannot be checked. */
export const requireAllStats =
  "the role sees no details of the sessions of other roles: grant it pg_monitor or pg_read_all_stats";

/**
 * Lists the sessions of clients that meet a condition since a time.
 *
 * @param since column of pg_stat_activity
 */
export async function findSessions(
  observer: Observer,
  condition: string,
  since: string,
  seconds: number,
): Promise<{ sessions: Session[]; unknown: string[] }> {
  const age = `extract(epoch from clock_timestamp() - ${since})::float8`;
  const sessions = await observer.query<Session>(
    `select pid, usename::text as role, application_name as application, datname::text as database, ${age} as seconds,
            backend_start::text as "startedAt"
       from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid() and ${condition} and ${age} >= $1
      order by ${age} desc`,
    [seconds],
  );
  return { sessions, unknown: observer.facts.readsAllStats ? [] : [requireAllStats] };
}

/** Describes a session with a problem. The fix ends the session, unless another one has its process id by then. */
export function sessionProblem(session: Session, what: string, effect: string): Problem {
  const { pid, role, application, database, seconds, startedAt } = session;
  const name = application === "" ? "an unnamed application" : application;
  return {
    object: `${role ?? "unknown role"} in ${database ?? "no database"}: ${name}`,
    level: "warning",
    detail:
      `Session ${pid} (${name}, role ${role ?? "unknown"}, database ${database ?? "none"}) ${what} ${duration(seconds)}. ${effect}`.trim(),
    objects: [`session ${pid}`],
    fix: fix(
      [`select pg_terminate_backend(pid) from pg_stat_activity where pid = ${pid} and backend_start = '${startedAt}'`],
      "It takes no lock. The session's transaction is rolled back, and its work is lost.",
    ),
  };
}
