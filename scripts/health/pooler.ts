import type Docker from "dockerode";
import { NotKnown } from "../connection/observer.ts";
import { lastLogLines } from "../docker/container-log.ts";
import { runInContainer } from "../docker/run-in-container.ts";

/** Clients and server connections of one role in one database. */
export interface PoolerPool {
  database: string;
  user: string;
  clients: number;
  waitingClients: number;
  /** Wait of the client that has waited longest. */
  longestWaitSeconds: number;
  serverConnections: number;
}

/** State of a stack's PgBouncer. */
export interface PoolerValues {
  maxClients: number;
  pools: PoolerPool[];
  /**
   * Logins at the server that failed within {@link recentMs}. PgBouncer keeps the failure and gives it to clients as
   * their error.
   */
  failedLogins: { reason: string; count: number }[];
}

/** State of a pooler, or the reason why it does not answer. */
export type PoolerState = PoolerValues | { down: string };

/** Age in ms up to which a failed login is shown. */
const recentMs = 300_000;
/** Lines of the pooler's log that are read. */
const logLines = 2_000;
/** Limits, as in the alerts. */
const [longestWaitSeconds, mostClients] = [1, 0.8];

const console = ["psql", "--no-psqlrc", "--no-password", "--quiet", "--no-align", "--field-separator=\t"];
const place = [
  "--pset=footer=off",
  "--host=/run/pgbouncer",
  "--port=6432",
  "--username=pgbouncer",
  "--dbname=pgbouncer",
];

/** Reads the state of a pooler from its console and its log. */
export async function readPooler(docker: Docker, container: string, now = new Date()): Promise<PoolerState> {
  const { State } = await docker.getContainer(container).inspect();
  if (!State.Running) return { down: `its container ${container} does not run` };
  const { code, stdout, stderr } = await runInContainer(docker, container, {
    command: [...console, ...place, "--command=SHOW POOLS", "--command=SHOW CONFIG"],
    environment: { PGCONNECT_TIMEOUT: "4" },
  });
  if (code !== 0) return { down: stderr.trim() };
  return {
    ...parseConsole(stdout),
    failedLogins: failedLoginsIn(await lastLogLines(docker, container, logLines), now),
  };
}

/** Reads the answers to SHOW POOLS and SHOW CONFIG, each of which begins with the names of its columns. */
export function parseConsole(text: string): Omit<PoolerValues, "failedLogins"> {
  const [pools = [], config = []] = text.split(/^(?=key\t)/m).map((table) =>
    table
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t")),
  );
  const [names = [], ...rows] = pools;
  const found = rows.map((cells) => {
    const value = (name: string) => cells[names.indexOf(name)] ?? "";
    const sum = (...columns: string[]) => columns.reduce((all, name) => all + Number(value(name)), 0);
    const waitingClients = sum("cl_waiting");
    return {
      ...{ database: value("database"), user: value("user"), waitingClients },
      clients: sum("cl_active") + waitingClients,
      longestWaitSeconds: sum("maxwait"),
      serverConnections: sum("sv_active", "sv_idle", "sv_used", "sv_tested"),
    };
  });
  const maxClients = Number(config.find(([key]) => key === "max_client_conn")?.[1] ?? Number.NaN);
  if (Number.isNaN(maxClients)) throw new NotKnown("PgBouncer's console gave an unknown answer");
  // The pool of the console itself is not one of an application.
  return { maxClients, pools: found.filter(({ database }) => database !== "pgbouncer") };
}

/** A line of PgBouncer's log about a login at the server that failed, or about a client that got such a failure. */
const failedLogin =
  /^(\S+ \S+) UTC \[\d+\] \w+ (?:C-\S+ \S+ pooler error: )?server login (?:failed: (?:FATAL )?|has been failing, cached error: )(.*?)(?: \(server_login_retry\))?$/gm;

/** Counts the failed logins in PgBouncer's log by their reason, which names the role. */
export function failedLoginsIn(log: string, now: Date): PoolerValues["failedLogins"] {
  const counts = new Map<string, number>();
  for (const [, time = "", reason = ""] of log.matchAll(failedLogin))
    if (now.getTime() - Date.parse(`${time.replace(" ", "T")}Z`) <= recentMs)
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => ({ reason, count }));
}

/** Judges the state of a pooler. */
export function judgePooler(state: PoolerState): ["ok" | "warning" | "critical", string] {
  if ("down" in state) return ["critical", `PgBouncer does not answer: ${state.down}`];
  const { maxClients, pools, failedLogins } = state;
  const sum = (count: (pool: PoolerPool) => number) => pools.reduce((all, pool) => all + count(pool), 0);
  const clients = sum((pool) => pool.clients);
  const troubles = [
    ...failedLogins.map(({ reason, count }) => `${count} failed logins at the server in the last 5 min: ${reason}`),
    ...pools
      .filter((pool) => pool.longestWaitSeconds > longestWaitSeconds)
      .map(({ database, user, longestWaitSeconds: seconds }) => `clients of ${user} wait ${seconds} s for ${database}`),
    ...(clients > mostClients * maxClients ? ["near the limit of clients"] : []),
  ];
  const said = `${clients} of ${maxClients} clients, ${sum((pool) => pool.waitingClients)} wait, ${sum((pool) => pool.serverConnections)} server connections`;
  return [troubles.length > 0 ? "warning" : "ok", [said, ...troubles].join("; ")];
}
