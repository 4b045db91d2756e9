import type { Client } from "pg";
import { type Connection, clientConfig } from "../connection/connection.ts";
import { ConnectionError, connectionError } from "../connection/connection-error.ts";
import { statementMark } from "../connection/observer.ts";
import { destroySocket } from "../connection/session.ts";

/** Answer of a server to the question whether it serves. */
export type ProbeResult = { at: Date; responseMs: number } & (
  | { answers: true; role: "primary" | "replica"; isWritable: boolean; connections: number; maximum: number }
  | { answers: false; reason: string }
);

/** Time limit in ms, so that a request is answered within a second also if the server is paused. */
const limitMs = 700;

/** Time in ms for which a result is used again. */
const freshMs = 500;

const query = `${statementMark} select pg_catalog.pg_is_in_recovery() as replica,
  pg_catalog.current_setting('default_transaction_read_only') = 'off' as writable,
  (select pg_catalog.sum(numbackends)::float8 from pg_catalog.pg_stat_database) as connections,
  pg_catalog.current_setting('max_connections')::float8 - pg_catalog.current_setting('superuser_reserved_connections')::float8
    - coalesce(pg_catalog.current_setting('reserved_connections', true), '0')::float8 as maximum`;

/**
 * Asks a server whether it serves, over a connection that is kept for an interval. Requests at the same time share one
 * question. A kept connection does not prove that others can connect: so it is opened again after each interval, and
 * the number of free connections is part of the answer.
 */
export class Probe {
  readonly #connection: Connection;
  readonly #keepMs: number;
  #client: Client | undefined;
  #openedAt = 0;
  #last: ProbeResult | undefined;
  #running: Promise<ProbeResult> | undefined;
  #failedAt: Date | undefined;

  /** @param keepMs time in ms after which the connection is opened again */
  constructor(connection: Connection, keepMs: number) {
    this.#connection = connection;
    this.#keepMs = keepMs;
  }

  /** Time of the last question without an answer; undefined if there was none. What was read before is outdated. */
  get failedAt(): Date | undefined {
    return this.#failedAt;
  }

  /** Returns a result that is at most half a second old. */
  async ask(): Promise<ProbeResult> {
    if (this.#last !== undefined && Date.now() - this.#last.at.getTime() < freshMs) return this.#last;
    this.#running ??= this.#ask().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Closes the kept connection. */
  close(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.end().catch(() => {});
  }

  async #ask(): Promise<ProbeResult> {
    const at = new Date();
    const started = performance.now();
    if (performance.now() - this.#openedAt > this.#keepMs) this.close();
    const wasKept = this.#client !== undefined;
    let result = await this.#attempt(at, started);
    // A kept connection can be lost although the server is well: it was restarted, or someone ended the session.
    if (!result.answers && wasKept && performance.now() - started < limitMs / 2)
      result = await this.#attempt(at, started);
    this.#last = result;
    if (!result.answers) this.#failedAt = at;
    return result;
  }

  async #attempt(at: Date, started: number): Promise<ProbeResult> {
    const opened: { client?: Client } = {};
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      const left = Math.max(limitMs - (performance.now() - started), 1);
      timer = setTimeout(() => reject(new Error(`the server did not answer within ${limitMs} ms`)), left);
    });
    const elapsed = () => performance.now() - started;
    try {
      const { rows } = await Promise.race([this.#query(opened), silence]);
      const [row] = rows;
      if (row === undefined) return { at, responseMs: elapsed(), answers: false, reason: "the server returned no row" };
      const { replica, writable, connections, maximum } = row;
      const role = replica ? "replica" : "primary";
      return { at, responseMs: elapsed(), answers: true, role, isWritable: writable && !replica, connections, maximum };
    } catch (error) {
      this.#drop(this.#client ?? opened.client);
      return { at, responseMs: elapsed(), answers: false, reason: this.#reason(error) };
    } finally {
      clearTimeout(timer);
    }
  }

  async #query(opened: { client?: Client }) {
    if (this.#client === undefined) {
      const { default: pg } = await import("pg");
      const client = new pg.Client({
        ...clientConfig(this.#connection, "pgroundwork health"),
        connectionTimeoutMillis: limitMs,
      });
      opened.client = client;
      client.on("error", () => {
        if (this.#client === client) this.#client = undefined;
      });
      await client.connect();
      this.#client = client;
      this.#openedAt = performance.now();
    }
    return this.#client.query<{ replica: boolean; writable: boolean; connections: number; maximum: number }>(query);
  }

  /** Closes a connection that failed, without waiting for a server that does not answer. */
  #drop(client: Client | undefined): void {
    this.#client = undefined;
    if (client !== undefined) destroySocket(client);
  }

  #reason(error: unknown): string {
    if (error instanceof ConnectionError) return error.message;
    if (error instanceof Error && !("code" in error) && /did not answer/.test(error.message)) return error.message;
    return connectionError(this.#connection, error).message;
  }
}
