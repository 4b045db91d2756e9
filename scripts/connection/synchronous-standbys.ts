import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { OperationError } from "../core/operation-error.ts";

/** Settings that decide if a commit waits for standbys. */
export interface SynchronousSettings {
  /** `synchronous_standby_names`. */
  names: string;
  /** `synchronous_commit`. */
  level: string;
}

/** Levels of `synchronous_commit` that wait for no standby. Booleans can be abbreviated. */
const localLevels = /^(local|off?|f(a(l(se?)?)?)?|no?|0)$/i;

/**
 * Returns the number of standbys that a commit waits for but that are not connected. Such a commit waits without a time
 * limit. Follows the grammar of `synchronous_standby_names` in PostgreSQL 17 (syncrep_gram.y).
 *
 * @param connected names of the connected standbys (`application_name`)
 */
export function lackingStandbys({ names, level }: SynchronousSettings, connected: readonly string[]): number {
  if (names.trim() === "" || localLevels.test(level.trim())) return 0;
  const [, needed = "1", list = names] = /^\s*(?:(?:first|any)\s+)?(\d+)\s*\(([^)]*)\)\s*$/i.exec(names) ?? [];
  const named = list.split(",").map((name) =>
    name
      .trim()
      .replace(/^"(.*)"$/, "$1")
      .toLowerCase(),
  );
  const matching = connected.filter((name) => named.includes("*") || named.includes(name.toLowerCase()));
  return Math.max(0, Number(needed) - matching.length);
}

/** Describes the standbys that are missing, as a complete sentence. */
export function describeLacking({ names }: SynchronousSettings, lacking: number): string {
  const what = lacking === 1 ? "a synchronous standby that is" : `${lacking} synchronous standbys that are`;
  return `Every commit on the server would wait without a time limit for ${what} not connected (synchronous_standby_names = '${names}').`;
}

/**
 * Checks a server's synchronous standbys. Returns the sentence about missing ones, or undefined if commits do not wait
 * for a missing one, or if this role may not see the standbys.
 */
export async function endlessCommits(client: Client): Promise<string | undefined> {
  const { rows } = await client.query<SynchronousSettings & { standbys: (string | null)[]; isStandby: boolean }>(
    `select current_setting('synchronous_standby_names') as names, current_setting('synchronous_commit') as level,
            pg_is_in_recovery() as "isStandby",
            array(select case when state = 'streaming' then application_name when state is null then null else '' end
                    from pg_stat_replication) as standbys`,
  );
  const [row] = rows;
  if (row === undefined || row.isStandby || row.standbys.includes(null)) return undefined;
  const connected = row.standbys.filter((name) => name !== null);
  const lacking = lackingStandbys(row, connected);
  return lacking === 0 ? undefined : describeLacking(row, lacking);
}

/** Time in ms that a standby has to connect, for example after a restart of the server. */
const connectWithinMs = 5_000;
const pollIntervalMs = 250;

/** Does the same as {@link endlessCommits}, but first gives a standby a few seconds to connect. */
export async function endlessCommitsAfterWait(client: Client): Promise<string | undefined> {
  const deadline = performance.now() + connectWithinMs;
  for (;;) {
    const fault = await endlessCommits(client);
    if (fault === undefined || performance.now() > deadline) return fault;
    await sleep(pollIntervalMs);
  }
}

/** Hint for missing standbys on a running server. */
export const standbyHint =
  "Connect the standby. If there is none, run as a superuser: ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf();";

/**
 * Refuses to work if a commit would wait for a standby that is not connected. A session must not change this itself:
 * with `synchronous_commit = local`, a failover could lose what it reported as done.
 *
 * @throws OperationError with nothing changed
 */
export async function refuseEndlessCommits(client: Client): Promise<void> {
  const fault = await endlessCommitsAfterWait(client);
  if (fault !== undefined) throw new OperationError(`${fault} Nothing was changed.`, { hint: standbyHint });
}
