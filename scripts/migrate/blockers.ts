import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { withClient } from "../target/client.ts";
import type { Connection } from "../target/connection.ts";

/** A session that another one waits for. */
export interface Blocker {
  pid: number;
  /** null where this role may not see it. */
  applicationName: string | null;
  user: string | null;
  /** `idle in transaction`, `active`, …; null where this role may not see it. */
  state: string | null;
  /** When its transaction began; null where this role may not see it. */
  since: Date | null;
}

/** In a few words, for people. */
export function describeBlocker({ pid, applicationName, user, state, since }: Blocker): string {
  const parts = [`pid ${pid}`];
  if (user !== null) parts.push(user);
  if (state !== null) parts.push(state);
  if (since !== null) parts.push(`in a transaction since ${since.toISOString()}`);
  return `${applicationName || "another session"} (${parts.join(", ")})`;
}

/**
 * Looks from a second session, while a statement waits, who it waits for: afterwards nobody can tell. The session is opened when the first look is
 * due, so quick files cost none.
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
   * @param pid the session that may wait
   * @param every how often to look, in ms
   */
  constructor(connection: Connection, pid: number, every: number) {
    this.#connection = connection;
    this.#pid = pid;
    this.#every = every;
  }

  start(): void {
    this.#firstLook = setTimeout(() => {
      this.#watching = this.#watch().catch(() => {
        // Without the right or the connection to look, the migration is none the worse.
      });
    }, this.#every);
  }

  /** Ends the watching. Answers who was last seen in the way; nobody where none was seen. */
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
        // Sessions show their details to their own role, which the owner that a migrator works as is not.
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

/** Whoever blocks now; where nobody does, whoever did. */
async function blockersOf(client: Client, pid: number, before: Blocker[]): Promise<Blocker[]> {
  const { rows } = await client.query<Blocker>(
    `select a.pid, application_name as "applicationName", usename as "user", state, xact_start as since
       from unnest(pg_blocking_pids($1)) as blocking(pid) join pg_stat_activity a on a.pid = blocking.pid
      order by xact_start`,
    [pid],
  );
  return rows.length === 0 ? before : rows;
}
