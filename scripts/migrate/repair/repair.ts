import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { withDeploymentLock } from "../../ledger/deployment-lock.ts";
import { tableAccess } from "../../ledger/kit-schema.ts";
import { type CommittedMigration, readCommitted } from "../committed.ts";
import { type ConcurrentIndex, concurrentIndexOf, invalidBuilds } from "../concurrent-index.ts";
import { applySettings, type GraphileSession, openGraphileSession } from "../graphile-migrate.ts";
import { requireKnown, statusOf } from "../verify.ts";
import { holderLeftover, readHolders, terminate } from "./holders.ts";
import { findInvalidIndexes } from "./invalid-indexes.ts";
import type { DatabaseLeftover } from "./leftover.ts";
import { findOpenRuns } from "./open-runs.ts";
import { findScratchDatabases } from "./scratch-databases.ts";

/** Options of {@link findRepairs} and {@link repair}. */
export interface RepairOptions {
  connection: Connection;
  /** Login that creates scratch databases. */
  admin: Connection;
  folder: string;
  /** Names of interrupted files, run outside a transaction, that a person confirms as complete. */
  done?: readonly string[] | undefined;
  signal?: AbortSignal;
}

/** A leftover after the repair. */
export interface Repaired extends DatabaseLeftover {
  /** True if its action was performed. False if it has none, or if the leftover was gone or had changed by then. */
  repaired: boolean;
}

/**
 * Finds what crashes left behind in a database, and the repair of each. Issues no DDL.
 *
 * @throws OperationError for files that do not follow their format, and for a name in `done` that has no open run; also
 * if the records may not be read
 */
export async function findRepairs(options: RepairOptions): Promise<DatabaseLeftover[]> {
  const { connection, admin, folder } = options;
  const files = await readCommitted(folder);
  const session = await openGraphileSession(folder, connection);
  const leftovers = await withClient(
    connection,
    async (client) => {
      await applySettings(client, session);
      return [
        ...(await readHolders(client)).map(holderLeftover),
        ...(await findInDatabase(client, files, session, options)),
      ];
    },
    "pgroundwork repair",
  );
  return [...leftovers, ...(await findScratchDatabases(admin))];
}

/**
 * Repairs the leftovers that were agreed to, with the deployment lock. Findings that are gone or have changed since are
 * skipped.
 *
 * @param agreed leftovers from {@link findRepairs}
 * @throws OperationError (exit code notAllowed) if another session has the lock; any error of an action: the actions
 * before it are complete, and all can be run again
 */
export async function repair(options: RepairOptions, agreed: readonly DatabaseLeftover[]): Promise<Repaired[]> {
  const { connection, admin, folder, signal } = options;
  const files = await readCommitted(folder);
  const session = await openGraphileSession(folder, connection);
  const texts = new Set(agreed.map(({ found }) => found));
  return withClient(
    connection,
    async (client) => {
      await applySettings(client, session);
      return withoutWaiting(client, signal, async () => {
        const leftovers = [
          ...(await findInDatabase(client, files, session, options)),
          ...(await findScratchDatabases(admin)),
        ];
        const repaired: Repaired[] = [];
        for (const leftover of leftovers.filter(({ found }) => texts.has(found))) {
          signal?.throwIfAborted();
          await leftover.act?.(client);
          repaired.push({ ...leftover, repaired: leftover.act !== undefined });
        }
        return repaired;
      });
    },
    "pgroundwork repair",
  );
}

/**
 * Terminates the session that has the deployment lock.
 *
 * @throws OperationError (exit code usage) if no session with this process id holds the lock; (exit code notAllowed) if
 * this login may not terminate it
 */
export async function terminateHolder(connection: Connection, pid: number): Promise<void> {
  await withClient(
    connection,
    async (client) => {
      const holders = await readHolders(client);
      if (!holders.some((holder) => holder.pid === pid)) {
        const pids = holders.map((holder) => holder.pid).join(", ");
        throw new OperationError(
          `No session with the process id ${pid} holds the deployment lock (${pids === "" ? "no session does" : `held by ${pids}`}).`,
          { exitCode: exitCode.usage },
        );
      }
      if (await terminate(client, pid)) return;
      throw new OperationError(`${connection.user} is not allowed to terminate session ${pid}, or it did not end.`, {
        hint: "Connect with the session's role or as a superuser. ROOT_DATABASE_URL is not used for this.",
        exitCode: exitCode.notAllowed,
      });
    },
    "pgroundwork repair",
  );
}

async function findInDatabase(
  client: Client,
  files: readonly CommittedMigration[],
  session: GraphileSession,
  { connection, folder, done = [] }: RepairOptions,
): Promise<DatabaseLeftover[]> {
  const status = await statusOf(client, files);
  requireKnown(status, connection);
  const tracked = new Set(status.applied.map(({ hash }) => hash));
  const pending = files.filter(({ hash }) => !tracked.has(hash));
  return [
    ...(await findInvalidIndexes(client, await indexesOf(client, pending, session))),
    ...(await findOpenRuns(client, { files, folder, session, done })),
    ...(await findForeignRecords(client, tracked)),
  ];
}

/** Returns the indexes that pending files build. An index without a name has those of its invalid builds. */
async function indexesOf(
  client: Client,
  pending: readonly CommittedMigration[],
  { compile }: GraphileSession,
): Promise<ConcurrentIndex[]> {
  const outside = pending.filter(({ transactional }) => !transactional);
  const indexes = await Promise.all(outside.map((file) => concurrentIndexOf(compile(file.text.slice(file.bodyStart)))));
  const named = indexes.map(async (index) => {
    if (index === undefined || index.name !== undefined) return index === undefined ? [] : [index];
    return (await invalidBuilds(client, index)).map((build) => ({ ...index, ...build }));
  });
  return (await Promise.all(named)).flat();
}

/**
 * Reports migrations that only graphile-migrate's own CLI recorded. Nothing is wrong with them, but they explain a
 * difference between the two records.
 */
async function findForeignRecords(client: Client, tracked: ReadonlySet<string>): Promise<DatabaseLeftover[]> {
  if (tracked.size === 0) return [];
  const access = await tableAccess(client, "pgroundwork", "migration_ledger");
  const { rows } =
    access === "readable"
      ? await client.query<{ count: number }>(
          "select count(*)::int from unnest($1::text[]) as tracked(hash) where not exists (select from pgroundwork.migration_ledger entry where entry.hash = tracked.hash)",
          [[...tracked]],
        )
      : { rows: [{ count: access === "absent" ? tracked.size : 0 }] };
  const count = rows[0]?.count ?? 0;
  if (count === 0) return [];
  const found = `${count} applied ${count === 1 ? "migration is" : "migrations are"} recorded only by graphile-migrate's own command line: this is no problem`;
  return [{ kind: "foreign-record", found }];
}

/**
 * Runs work with the deployment lock, but does not wait for the lock: its holder can be the very session to repair, and
 * the wait would never end.
 */
async function withoutWaiting<T>(client: Client, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const waited = new AbortController();
  const either = signal === undefined ? waited.signal : AbortSignal.any([signal, waited.signal]);
  const onWait = ({ pid }: { pid: number }) =>
    waited.abort(
      new OperationError(`Session ${pid} holds the deployment lock. Nothing was repaired.`, {
        hint: `Wait for it to end. If it was abandoned: \`migrate repair --terminate ${pid}\``,
        exitCode: exitCode.notAllowed,
      }),
    );
  return withDeploymentLock(client, work, onWait, either);
}
