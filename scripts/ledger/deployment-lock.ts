import type { Client } from "pg";
import { asLogin } from "../connection/session.ts";
import { refuseEndlessCommits } from "../connection/synchronous-standbys.ts";
import { OperationError } from "../core/operation-error.ts";
import { poll } from "../core/poll.ts";
import type { LockHolder } from "./deployer.ts";

export { describeHolder, type LockHolder } from "./deployer.ts";

/**
 * Keys of session-level advisory locks, taken in this order. The kit's own (PGROUNDWORK on a phone's keys) excludes
 * other deployers for the whole of the work. graphile-migrate's lock is taken too: its CLI fails while the kit works,
 * and the kit waits while its CLI works.
 */
export const lockKeys = ["74768639675", "4727445306447283"] as const;

/** The sessions of this process that have the deployment lock. */
const deployers = new WeakSet<Client>();

/** Shortest pause between two attempts. A random part of up to the same length spreads the attempts of sessions. */
const pollIntervalMs = 150;

/**
 * Waits for the deployment lock of the client's database and runs `work` with it. Refuses to work if commits would wait
 * for a standby that is not connected. The server releases the lock when the
 * connection ends, however it ends.
 *
 * @param onWait called once for each other holder while waiting
 * @throws the signal's reason if it aborts while waiting
 * @throws OperationError if commits would wait for a missing standby
 */
export async function withDeploymentLock<T>(
  client: Client,
  work: () => Promise<T>,
  onWait: (holder: LockHolder) => void,
  signal?: AbortSignal,
): Promise<T> {
  for (const key of lockKeys) await waitForLock(client, key, onWait, signal);
  deployers.add(client);
  try {
    await refuseEndlessCommits(client);
    return await work();
  } finally {
    deployers.delete(client);
    // On a lost connection there is nothing to unlock, and the error of `work` counts.
    await client.query("select pg_advisory_unlock($1), pg_advisory_unlock($2)", [...lockKeys]).catch(() => {});
  }
}

/**
 * Polls instead of waiting in one blocking call. A blocked statement holds a snapshot. The holder's CREATE INDEX
 * CONCURRENTLY would wait for that snapshot, which is a deadlock.
 */
async function waitForLock(
  client: Client,
  key: string,
  onWait: (holder: LockHolder) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  let reported: number | undefined;
  const attempt = async () => {
    const { rows } = await client.query<{ locked: boolean }>("select pg_try_advisory_lock($1) as locked", [key]);
    if (rows[0]?.locked === true) return true;
    const holder = await lockHolder(client, key);
    if (holder !== undefined && holder.pid !== reported) {
      reported = holder.pid;
      onWait(holder);
    }
    return undefined;
  };
  await poll(attempt, { intervalMs: () => pollIntervalMs * (1 + Math.random()), signal });
}

/** Returns the holder of the lock; undefined if it has released the lock in the meantime. */
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

/** An advisory lock that a session holds. */
interface AdvisoryLock {
  /** Arguments for the advisory lock functions: one number, or two. */
  key: string;
  isShared: boolean;
  isDeployment: boolean;
}

/**
 * Releases the advisory locks that a file took and left, and keeps the deployment lock, which a file can release by
 * mistake. It sends its first query before it returns.
 *
 * @throws OperationError if the file released the deployment lock and another session holds it now
 */
export async function releaseFileLocks(client: Client): Promise<void> {
  const locks = await readLocks(client);
  if (deployers.has(client) && locks.filter(({ isDeployment }) => isDeployment).length < lockKeys.length)
    await retakeLock(client);
  let left = locks.filter(({ isDeployment }) => !isDeployment);
  // A lock that was taken twice must be released twice.
  while (left.length > 0) {
    const calls = left.map(({ key, isShared }) => `pg_advisory_unlock${isShared ? "_shared" : ""}(${key})`);
    await client.query(`select ${calls.join(", ")}`);
    left = (await readLocks(client)).filter(({ isDeployment }) => !isDeployment);
  }
}

async function readLocks(client: Client): Promise<AdvisoryLock[]> {
  const { rows } = await client.query<AdvisoryLock>(
    `select key, mode = 'ShareLock' as "isShared", key in (${lockKeys.map((key) => `'${key}'`).join(", ")}) as "isDeployment"
       from pg_locks,
            lateral (select case objsubid when 1 then ((classid::bigint << 32) | objid::bigint)::text
                                          else concat_ws(', ', (classid::bigint::bit(32))::int, (objid::bigint::bit(32))::int) end) as k (key)
      where locktype = 'advisory' and pid = pg_backend_pid() and granted`,
  );
  return rows;
}

async function retakeLock(client: Client): Promise<void> {
  const { rows } = await client.query<{ taken: boolean }>(
    `select bool_and(pg_try_advisory_lock(key)) as taken from unnest($1::bigint[]) as keys (key)`,
    [[...lockKeys]],
  );
  if (rows[0]?.taken === true) return;
  throw new OperationError("The file released the deployment lock, and another session now holds it.", {
    hint: "Remove pg_advisory_unlock_all() or DISCARD ALL from the file, wait for the other session to end, then run again.",
  });
}
