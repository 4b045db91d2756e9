import type { Client } from "pg";
import { withClient } from "./client.ts";
import { type Connection, describeConnection } from "./connection.ts";
import { ConnectionError } from "./connection-error.ts";
import { isFromServer } from "./server-fault.ts";
import { certificateEndOf, destroySocket } from "./session.ts";

/** Time limits and name of an observing session. */
export interface ObserverOptions {
  /** Name in pg_stat_activity. */
  applicationName: string;
  /** Time limit of each statement in ms. */
  statementTimeoutMs: number;
  /** Time in ms that a statement waits for a lock. Must be less than `statementTimeoutMs`. */
  lockTimeoutMs: number;
  /** Statements that set something for each transaction, after the limits. */
  setLocal?: readonly string[];
}

/** Properties of a server and of the session's role, which determine what can be read. */
export interface ServerFacts {
  /** `server_version_num`: 170004 is 17.4. */
  version: number;
  database: string;
  user: string;
  isSuperuser: boolean;
  /** True if the role sees the sessions and statements of other roles (pg_read_all_stats, in pg_monitor). */
  readsAllStats: boolean;
  inRecovery: boolean;
  startedAt: Date;
  /**
   * Schema in which the role reads pg_stat_statements: that of the extension, or the monitoring schema if the role may
   * not use that one. null if the extension is not installed in this database.
   */
  statementsSchema: string | null;
  /** End of the validity of the server's certificate; null if the session has no TLS. */
  certificateExpiresAt: Date | null;
}

/** Says why something is not known. It is an answer of a check and not a failure of the command. */
export class NotKnown extends Error {
  override readonly name = "NotKnown";
}

/** Time in ms that a server has beyond the statement timeout. A stopped process enforces no timeout by itself. */
const marginMs = 500;

/**
 * Schema in each database of a stack that the role `monitor` may use. `up` creates it. It holds pg_stat_statements, or
 * views of it, and the records of migrations.
 */
export const monitoringSchema = "pgroundwork_monitoring";

/**
 * Returns the SQL condition that a role may create roles. Reading a view runs its functions as the reader, so a schema
 * and a view that the owner of the database could have made are not read.
 */
export function isTrusted(role: string): string {
  return `exists (select from pg_catalog.pg_roles trusted where trusted.oid = ${role} and (trusted.rolsuper or trusted.rolcreaterole))`;
}

/** Comment in each statement, by which pg_stat_statements entries of the kit itself are left out. */
export const statementMark = "/* pgroundwork */";

/**
 * A session that only reads: each statement runs in its own read-only transaction with an empty search path and with
 * limits for its duration and for waiting for locks.
 */
export class Observer {
  readonly #client: Client;
  readonly #options: ObserverOptions;
  readonly #connection: Connection;
  readonly facts: ServerFacts;

  constructor(client: Client, connection: Connection, options: ObserverOptions, facts: ServerFacts) {
    this.#client = client;
    this.#connection = connection;
    this.#options = options;
    this.facts = facts;
  }

  /**
   * Runs a query.
   *
   * @throws NotKnown with the reason if the server refuses it or does not answer it in time
   * @throws ConnectionError if the connection is lost, or the server does not enforce its own time limit
   */
  async query<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const { statementTimeoutMs, lockTimeoutMs, setLocal = [] } = this.#options;
    const limits = `set local statement_timeout = ${statementTimeoutMs}; set local lock_timeout = ${lockTimeoutMs}`;
    const ask = async (): Promise<Row[]> => {
      try {
        await this.#client.query(["begin read only; set local search_path = ''", limits, ...setLocal].join("; "));
        const { rows } = await this.#client.query<Row>(`${statementMark} ${sql}`, [...values]);
        await this.#end("commit");
        return rows;
      } catch (error) {
        if (isFromServer(error)) await this.#end("rollback");
        throw await this.#explain(error);
      }
    };
    return orSilent(this.#client, this.#connection, statementTimeoutMs + marginMs, ask);
  }

  /**
   * Ends the transaction. A rollback counts as one of the database's, which an alert watches. On a busy machine, the
   * time limit can cancel even this statement; what was read is valid then.
   */
  async #end(how: "commit" | "rollback"): Promise<void> {
    await this.#client.query(how).catch(async (error: unknown) => {
      if (!isFromServer(error) || error.code !== "57014") throw error;
      await this.#client.query("rollback");
    });
  }

  async #explain(error: unknown): Promise<unknown> {
    if (!isFromServer(error)) return error;
    const { lockTimeoutMs, statementTimeoutMs } = this.#options;
    switch (error.code) {
      case "55P03":
        return new NotKnown(`a lock was not free within ${lockTimeoutMs} ms${await this.#lockHolders()}`);
      case "57014":
        return new NotKnown(`the query did not finish within ${statementTimeoutMs} ms`);
      case "42501":
        return new NotKnown(`role "${this.facts.user}" has no right to read it (${error.message})`);
      case "55000":
        // The extension is in the database, but its library is not in the server.
        if (error.message.includes("shared_preload_libraries"))
          return new NotKnown(`${error.message}: add it to this setting and restart the server`);
    }
    // 57P: the server ends the session. 53: it has no resources. 58, XX: its machine or its data is damaged.
    if (/^(57P|53|58|XX)/.test(String(error.code))) return error;
    return new NotKnown(`the server refuses the query: ${error.message} (SQLSTATE ${error.code})`);
  }

  /** Names the sessions that hold the strongest lock on a table, because the check could have waited for them. */
  async #lockHolders(): Promise<string> {
    await this.#client.query("begin read only; set local search_path = ''");
    const { rows } = await this.#client.query<{ holder: string }>(
      `select format('session %s holds ACCESS EXCLUSIVE on %I.%I', l.pid, n.nspname, c.relname) as holder
         from pg_catalog.pg_locks l join pg_catalog.pg_class c on c.oid = l.relation
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where l.granted and l.mode = 'AccessExclusiveLock' and l.pid <> pg_catalog.pg_backend_pid()
          and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
        order by 1 limit 3`,
    );
    await this.#end("commit");
    return rows.map(({ holder }) => `; ${holder}`).join("");
  }
}

/** Opens an observing session, passes it to `use`, and closes it in any case. */
export async function withObserver<T>(
  connection: Connection,
  options: ObserverOptions,
  use: (observer: Observer) => Promise<T>,
): Promise<T> {
  return withClient(
    connection,
    async (client) => {
      const limitMs = options.statementTimeoutMs + marginMs;
      const facts = await orSilent(client, connection, limitMs, () => readFacts(client));
      return use(new Observer(client, connection, options, facts));
    },
    options.applicationName,
  );
}

/** Condition that the role can read both views of pg_stat_statements in the monitoring schema. */
const hasStatementViews = `(
  select count(*) = 2 from pg_catalog.pg_namespace m join pg_catalog.pg_class v on v.relnamespace = m.oid
   where m.nspname = '${monitoringSchema}' and ${isTrusted("m.nspowner")} and has_schema_privilege(m.oid, 'usage')
     and v.relname in ('pg_stat_statements', 'pg_stat_statements_info') and v.relkind = 'v' and ${isTrusted("v.relowner")}
     and has_table_privilege(v.oid, 'select'))`;

async function readFacts(client: Client): Promise<ServerFacts> {
  const { rows } = await client.query<Omit<ServerFacts, "certificateExpiresAt">>(
    `select current_setting('server_version_num')::int as version, current_database()::text as database,
            current_user::text as "user", rolsuper as "isSuperuser",
            pg_has_role(current_user, 'pg_read_all_stats', 'usage') as "readsAllStats",
            pg_is_in_recovery() as "inRecovery", pg_postmaster_start_time() as "startedAt",
            (select quote_ident(case when not has_schema_privilege(n.oid, 'usage') and ${hasStatementViews} then '${monitoringSchema}' else nspname end)
               from pg_catalog.pg_extension join pg_catalog.pg_namespace n on n.oid = extnamespace
              where extname = 'pg_stat_statements') as "statementsSchema"
       from pg_catalog.pg_roles where rolname = current_user`,
  );
  const [facts] = rows;
  if (facts === undefined) throw new NotKnown("the server does not show the session's own role");
  return { ...facts, certificateExpiresAt: certificateEndOf(client) };
}

/** Closes the connection if the server does not answer: it is paused, or the network lost it. */
async function orSilent<T>(client: Client, connection: Connection, limitMs: number, ask: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const text = `${describeConnection(connection)} did not answer within ${limitMs} ms.`;
      reject(new ConnectionError(text, "lost", "Check if the server is paused or overloaded.", undefined));
      destroySocket(client);
    }, limitMs);
  });
  try {
    return await Promise.race([ask(), silence]);
  } finally {
    clearTimeout(timer);
  }
}
