import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";

/** Pause between two looks for sessions that are blocked. */
const checkIntervalMs = 500;

/**
 * Thrown when a session waits for its turn to commit, and the session whose turn it is waits for a lock of that one.
 * The server cannot see this deadlock. Roll the transaction back, and repeat it when it is its turn.
 */
export class BlocksTurn extends Error {}

/**
 * Waits in an open transaction until it is the session's turn to commit.
 *
 * @param others server processes of the sessions whose turn comes before
 * @throws BlocksTurn if one of the others waits for this session, directly or through a session of someone else
 */
export async function awaitTurn(session: Client, others: readonly number[], before: Promise<void>): Promise<void> {
  const turn = before.then(() => true);
  // Whoever catches BlocksTurn awaits `before` itself.
  turn.catch(() => {});
  while (!(await Promise.race([turn, sleep(checkIntervalMs, false, { ref: false })])))
    if (await blocks(session, others)) throw new BlocksTurn();
}

async function blocks(session: Client, others: readonly number[]): Promise<boolean> {
  const { rowCount } = await session.query(
    `with recursive blocking (pid) as (
       select b from unnest($1::int[]) as o, unnest(pg_blocking_pids(o)) as b
       union select b from blocking, unnest(pg_blocking_pids(blocking.pid)) as b)
     select from blocking where pid = pg_backend_pid()`,
    [others],
  );
  return rowCount !== 0;
}
