import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { asLogin } from "./session.ts";

/**
 * Keys of session-level advisory locks, taken in this order. The kit's own (PGROUNDWORK on a phone's keys) keeps deployers apart for
 * the whole of their work; graphile-migrate's is taken too: its CLI fails while the kit works, the kit waits while its CLI works.
 */
export const lockKeys = ["74768639675", "4727445306447283"] as const;

/** How often a taken lock is asked for again, in ms; a little more at random, so that many waiters do not ask in step. */
const pollMillis = 150;

/** Who has the lock that is waited for. */
export interface LockHolder {
  pid: number;
  /** null when this role may not see it. */
  applicationName: string | null;
  user: string | null;
  /** Client's address; null for a socket, or when this role may not see it. */
  address: string | null;
  /** When the holder connected; null when this role may not see it. */
  since: Date | null;
}

/** The holder for people, in a few words. */
export function describeHolder({ pid, applicationName, user, address, since }: LockHolder): string {
  const parts = [`pid ${pid}`];
  if (user !== null) parts.push(address === null ? user : `${user} from ${address}`);
  if (since !== null) parts.push(`connected since ${since.toISOString()}`);
  return `${applicationName || "another session"} (${parts.join(", ")})`;
}

/**
 * Runs `work` with the deployment lock of the client's database, waiting for it. The server frees the lock when the connection ends,
 * however it ends.
 * @param onWait called once for each other holder while waiting.
 * @throws the signal's reason when it aborts while waiting.
 */
export async function withDeploymentLock<T>(
  client: Client,
  work: () => Promise<T>,
  onWait: (holder: LockHolder) => void,
  signal?: AbortSignal,
): Promise<T> {
  for (const key of lockKeys) await waitForLock(client, key, onWait, signal);
  try {
    return await work();
  } finally {
    // On a lost connection there is nothing to unlock, and the error of `work` counts.
    await client.query("select pg_advisory_unlock($1), pg_advisory_unlock($2)", [...lockKeys]).catch(() => {});
  }
}

/**
 * Asks again and again instead of in one blocking call: a blocked statement holds a snapshot, and the holder's CREATE INDEX CONCURRENTLY would
 * wait for that snapshot, a deadlock.
 */
async function waitForLock(
  client: Client,
  key: string,
  onWait: (holder: LockHolder) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  let reported: number | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const { rows } = await client.query<{ locked: boolean }>("select pg_try_advisory_lock($1) as locked", [key]);
    if (rows[0]?.locked === true) return;
    const holder = await lockHolder(client, key);
    if (holder !== undefined && holder.pid !== reported) {
      reported = holder.pid;
      onWait(holder);
    }
    const pause = pollMillis + Math.random() * pollMillis;
    // The sleep's own AbortError says less than the signal's reason, thrown above.
    await sleep(pause, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  }
}

/** Undefined when the holder was gone by the time of the question. */
async function lockHolder(client: Client, key: string): Promise<LockHolder | undefined> {
  const { rows } = await asLogin(client, () =>
    client.query<LockHolder>(
      `select l.pid, a.application_name as "applicationName", a.usename as "user", host(a.client_addr) as address,
              a.backend_start as since
         from pg_locks l
         left join pg_stat_activity a on a.pid = l.pid
        where l.locktype = 'advisory' and l.granted and l.objsubid = 1
          and l.database = (select oid from pg_database where datname = current_database())
          and (l.classid::bigint << 32) | l.objid::bigint = $1::bigint`,
      [key],
    ),
  );
  return rows[0];
}
