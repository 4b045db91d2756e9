import { setTimeout as sleep } from "node:timers/promises";
import type { Checkout } from "./checkouts.ts";
import { AbortedCommitError, EndedTransactionError, OutcomeUnknownError, RolledBackError } from "./errors.ts";
import { isLost } from "./failures.ts";
import type { PoolCore } from "./pool-core.ts";
import type { ServerClient } from "./server-client.ts";

/** A transaction that the server knows, even if its connection is lost. */
interface KnownTransaction {
  xid: string;
  timeline: string;
  /** System identifier, start of the postmaster and reset of its statistics. */
  serverRun: string;
  pid: number | undefined;
}

/** Result of a COMMIT whose answer was lost. */
type Outcome = { result: "committed" } | { result: "aborted" } | { result: "unknown"; reason: string };

/** Time after which the session of the lost connection is ended, so that its transaction is decided. */
const endSessionAfterMs = 1_000;

/**
 * Commits, and checks that the server did. If the connection is lost meanwhile, returns the client to the pool and asks
 * the server for the result.
 *
 * @throws RolledBackError, EndedTransactionError, OutcomeUnknownError, AbortedCommitError, or the error of the COMMIT
 */
export async function commit(core: PoolCore, checkout: Checkout, readOnly: boolean): Promise<void> {
  const { client } = checkout;
  // The error of a statement arrives before the state that it leaves.
  await client.ready();
  const known = readOnly || !core.settings.resolveCommits ? "resolveCommits is off" : await knownTransaction(client);
  // Nothing was sent, so the server rolls back.
  if (client.lost !== undefined) throw new AbortedCommitError(client.lost);
  if (client.getTransactionStatus() === "I") throw new EndedTransactionError();
  try {
    const { command } = await client.query("commit");
    if (command === "COMMIT") return;
    throw new RolledBackError(
      "The transaction was rolled back: a statement in it had failed, and its error was ignored.",
      {
        hint: "Let the error leave the transaction function, or wrap the statement in savepoint().",
        cause: client.failedWith,
      },
    );
  } catch (error) {
    if (error instanceof RolledBackError || !(await isLost(client))) throw error;
    // A transaction that only read has nothing to lose, and is repeated like any other.
    if (readOnly) throw new AbortedCommitError(error);
    // The question needs a client of the same pool, whose clients may all be lost in the same way.
    core.giveBack(checkout);
    const outcome = await outcomeOf(core, known);
    if (outcome.result === "committed") return;
    if (outcome.result === "aborted") throw new AbortedCommitError(error);
    throw new OutcomeUnknownError("commit", error, outcome.reason);
  }
}

/** Reads the transaction's id before the COMMIT, or returns the reason why its result cannot be asked for. */
async function knownTransaction(client: ServerClient): Promise<KnownTransaction | string> {
  const noId = "it had no transaction id to ask for";
  // In a failed transaction, COMMIT is a rollback anyway.
  if (client.getTransactionStatus() !== "T") return noId;
  const first = client.serverRun === undefined;
  if (first && !(await mayAsk(client))) client.serverRun = null;
  if (client.serverRun === null) return "its role may not execute the functions that know";
  const { rows } = await client.query<{ xid: string | null; timeline: string; run: string }>(
    `select pg_catalog.pg_current_xact_id_if_assigned()::text as xid, ${timeline} as timeline${first ? `, ${serverRun} as run` : ""}`,
  );
  const [row] = rows;
  if (first) client.serverRun = row?.run;
  if (!row?.xid || !client.serverRun) return noId;
  return { xid: row.xid, timeline: row.timeline, serverRun: client.serverRun, pid: client.pid };
}

/** Functions that are needed to ask for a result. A server may keep them from ordinary roles. */
const functions = [
  "pg_control_system()",
  "pg_current_xact_id_if_assigned()",
  "pg_current_wal_insert_lsn()",
  "pg_walfile_name(pg_catalog.pg_lsn)",
  "pg_xact_status(pg_catalog.xid8)",
].map((name) => `pg_catalog.${name}`);

/** Returns true if the role may execute the functions. A refusal would end the transaction. */
async function mayAsk(client: ServerClient): Promise<boolean> {
  const { rows } = await client.query<{ allowed: boolean }>(
    "select pg_catalog.bool_and(pg_catalog.has_function_privilege(name, 'execute')) as allowed from pg_catalog.unnest($1::text[]) as name",
    [functions],
  );
  return rows[0]?.allowed ?? false;
}

// The first eight characters of a WAL file's name. A standby writes none.
const timeline =
  "case when pg_catalog.pg_is_in_recovery() then '' else pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8) end";
// The system, and the run of its server: a crash restarts the server or discards the statistics. No connection outlives
// it, so a connection asks once.
const serverRun =
  "(select system_identifier::text from pg_catalog.pg_control_system()) || ' ' || extract(epoch from pg_catalog.pg_postmaster_start_time())::text || ' ' || coalesce((select extract(epoch from stats_reset)::text from pg_catalog.pg_stat_bgwriter), '')";

async function outcomeOf(core: PoolCore, known: KnownTransaction | string): Promise<Outcome> {
  if (typeof known === "string") return { result: "unknown", reason: known };
  const started = performance.now();
  let reason = "the server could not be asked";
  while (performance.now() - started < core.settings.connectionTimeoutMs) {
    try {
      const passedMs = performance.now() - started;
      const limitMs = core.settings.connectionTimeoutMs - passedMs;
      const status = await ask(core, known, { endSession: passedMs > endSessionAfterMs, limitMs });
      if (typeof status !== "string") return { result: "unknown", reason: status.reason };
      if (status === "committed" || status === "aborted") return { result: status };
      reason = "its session is still running";
    } catch (error) {
      reason = `the server could not be asked: ${error instanceof Error ? error.message : String(error)}`;
      if (core.closed) break;
    }
    await sleep(50);
  }
  return { result: "unknown", reason };
}

/** Asks for the state of the transaction. It means something only on the same system and timeline. */
async function ask(
  core: PoolCore,
  { xid, timeline: before, serverRun: runBefore, pid }: KnownTransaction,
  { endSession, limitMs }: { endSession: boolean; limitMs: number },
): Promise<string | { reason: string }> {
  const checkout = await core.acquire("statement");
  try {
    const { rows } = await checkout.client.query<{ run: string; timeline: string }>(
      `select ${serverRun} as run, ${timeline} as timeline`,
    );
    const [row] = rows;
    const systemOf = (text: string | undefined) => text?.split(" ", 1)[0];
    if (row === undefined || systemOf(row.run) !== systemOf(runBefore)) return { reason: "another server answers now" };
    if (row.timeline === "") return "on a standby";
    if (row.timeline !== before) return { reason: "a standby was promoted" };
    const { rows: states } = await checkout.client.query<{ status: string | null }>(
      "select pg_catalog.pg_xact_status($1::pg_catalog.xid8) as status",
      [xid],
    );
    const status = states[0]?.status;
    if (status === null || status === undefined) return { reason: "the server no longer knows the transaction" };
    // The COMMIT may be on its way to a session that does not know yet that its client is gone. One that waits for a
    // synchronous standby would commit without it.
    if (status === "in progress" && endSession)
      await checkout.client.query(
        "select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity where pid = $1 and backend_xid::text = ($2::pg_catalog.xid8)::pg_catalog.xid::text and wait_event is distinct from 'SyncRep'",
        [pid, xid],
      );
    // WAL that was not flushed is lost in a crash, with the fact that the number was given. "aborted" stays true then.
    if (status === "committed" && row.run !== runBefore)
      return { reason: "the server has restarted since, and may have given the transaction's number to another one" };
    if (status === "committed" && !(await isReplicated(checkout.client, limitMs)))
      return { reason: "it is committed, but no synchronous standby has confirmed it" };
    return status;
  } finally {
    core.giveBack(checkout);
  }
}

/**
 * Returns true if the synchronous standbys have everything up to now, or if there are none. A session that ends while
 * it waits for them commits all the same. A later commit is confirmed only after this one.
 */
async function isReplicated(client: ServerClient, limitMs: number): Promise<boolean> {
  const { rows } = await client.query<{ waits: boolean }>(
    "select pg_catalog.current_setting('synchronous_standby_names') <> '' and pg_catalog.current_setting('synchronous_commit') not in ('off', 'local') as waits",
  );
  if (rows[0]?.waits !== true) return true;
  let gaveUp = false;
  const notice = () => {
    gaveUp = true;
  };
  // PostgreSQL's own limits do not end this wait.
  const timer = setTimeout(() => client.destroy(), Math.max(limitMs, 100));
  client.on("notice", notice);
  try {
    await client.query("select pg_catalog.pg_logical_emit_message(true, 'pgroundwork', '')");
    return !gaveUp;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    client.off("notice", notice);
  }
}
