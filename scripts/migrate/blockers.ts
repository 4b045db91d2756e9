import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";

/** A session that blocks another one. */
export interface Blocker {
  pid: number;
  /** null if this role may not see it. */
  applicationName: string | null;
  user: string | null;
  /** `idle in transaction`, `active`, …; null if this role may not see it. */
  state: string | null;
  /** Start of its transaction; null if this role may not see it. */
  since: Date | null;
}

/** Describes a blocker in a few words, for people. */
export function describeBlocker({ pid, applicationName, user, state, since }: Blocker): string {
  const parts = [`pid ${pid}`];
  if (user !== null) parts.push(user);
  if (state !== null) parts.push(state);
  if (since !== null) parts.push(`in a transaction since ${since.toISOString()}`);
  return `${applicationName || "another session"} (${parts.join(", ")})`;
}

/**
 * Finds out from a second session what blocks a statement, while it waits: afterwards this is no longer visible. The
 * session is opened only when the first check is due, so that a quick file needs none.
 */
export class BlockerWatch {
  readonly #connection: Connection;
  readonly #pid: number;
  readonly #every: number;
  readonly #ended = new AbortController();
  #last: Blocker[] = [];
  #firstLook: NodeJS.Timeout | undefined;
  #watching: Promise<void> | undefined;

  /**
   * @param pid process id of the session that may wait
   * @param every interval between two checks, in ms
   */
  constructor(connection: Connection, pid: number, every: number) {
    this.#connection = connection;
    this.#pid = pid;
    this.#every = every;
  }

  start(): void {
    this.#firstLook = setTimeout(() => {
      this.#watching = this.#watch().catch(() => {
        // If the check lacks a privilege or a connection, the migration continues without it.
      });
    }, this.#every);
  }

  /** Ends the watch. Returns the blockers seen last; empty if none were seen. */
  async stop(): Promise<Blocker[]> {
    clearTimeout(this.#firstLook);
    this.#ended.abort();
    if (this.#watching !== undefined) await this.#watching;
    return this.#last;
  }

  #watch(): Promise<void> {
    const { signal } = this.#ended;
    return withClient(
      this.#connection,
      async (client) => {
        // A session's details are visible only to its own role. A migrator works as the owner, which is another role.
        await client.query("set role none");
        while (!signal.aborted) {
          this.#last = await blockersOf(client, this.#pid, this.#last);
          await sleep(this.#every, undefined, { signal }).catch(() => {});
        }
      },
      "pgroundwork migrate, watching",
    );
  }
}

/** Returns the current blockers, or the previous ones if there are none now. */
async function blockersOf(client: Client, pid: number, before: Blocker[]): Promise<Blocker[]> {
  const { rows } = await client.query<Blocker>(
    `select a.pid, application_name as "applicationName", usename as "user", state, xact_start as since
       from unnest(pg_blocking_pids($1)) as blocking(pid) join pg_stat_activity a on a.pid = blocking.pid
      order by xact_start`,
    [pid],
  );
  return rows.length === 0 ? before : rows;
}
