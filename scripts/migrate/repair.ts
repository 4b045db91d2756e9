import type { Client } from "pg";
import { withDeploymentLock } from "../database/deployment-lock.ts";
import { tableAccess } from "../database/kit-schema.ts";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { withClient } from "../target/client.ts";
import type { Connection } from "../target/connection.ts";
import { type CommittedMigration, readCommitted } from "./committed.ts";
import { type ConcurrentIndex, concurrentIndexOf } from "./concurrent-index.ts";
import { applySettings, type GraphileSession, openGraphileSession } from "./graphile-migrate.ts";
import type { RepairFinding } from "./repair/finding.ts";
import { holderFinding, readHolders, terminate } from "./repair/holders.ts";
import { findInvalidIndexes } from "./repair/invalid-indexes.ts";
import { findOpenRuns } from "./repair/open-runs.ts";
import { findScratchDatabases } from "./repair/scratch-databases.ts";
import { requireKnown, statusOf } from "./verify.ts";

export interface RepairOptions {
  connection: Connection;
  /** Who makes scratch databases. */
  admin: Connection;
  folder: string;
  /** Names of files begun outside a transaction of which a person says that they did their work. */
  done?: readonly string[] | undefined;
  signal?: AbortSignal;
}

/** A finding after repairing. */
export interface Repaired extends RepairFinding {
  /** Whether its action was done; false where it has none, or somebody came in between. */
  repaired: boolean;
}

/**
 * What crashes left in a database, and what repairing would do about each. Issues no DDL.
 *
 * @throws OperationError for files that do not follow their format, for a name in `done` that no open run has, and where the records may not be read
 */
export async function findRepairs(options: RepairOptions): Promise<RepairFinding[]> {
  const { connection, admin, folder } = options;
  const files = await readCommitted(folder);
  const session = await openGraphileSession(folder, connection);
  const findings = await withClient(
    connection,
    async (client) => {
      await applySettings(client, session);
      return [
        ...(await readHolders(client)).map(holderFinding),
        ...(await findInDatabase(client, files, session, options)),
      ];
    },
    "pgroundwork repair",
  );
  return [...findings, ...(await findScratchDatabases(admin))];
}

/**
 * Repairs what was found and agreed to, with the deployment lock; what is not there any more, or has changed since, is left.
 *
 * @param agreed what {@link findRepairs} found
 * @throws OperationError (not allowed) while another session has the lock; whatever an action failed on: those before it are done, and all can be run again
 */
export async function repair(options: RepairOptions, agreed: readonly RepairFinding[]): Promise<Repaired[]> {
  const { connection, admin, folder, signal } = options;
  const files = await readCommitted(folder);
  const session = await openGraphileSession(folder, connection);
  const texts = new Set(agreed.map(({ found }) => found));
  return withClient(
    connection,
    async (client) => {
      await applySettings(client, session);
      return withoutWaiting(client, signal, async () => {
        const findings = [
          ...(await findInDatabase(client, files, session, options)),
          ...(await findScratchDatabases(admin)),
        ];
        const repaired: Repaired[] = [];
        for (const finding of findings.filter(({ found }) => texts.has(found))) {
          signal?.throwIfAborted();
          await finding.act?.(client);
          repaired.push({ ...finding, repaired: finding.act !== undefined });
        }
        return repaired;
      });
    },
    "pgroundwork repair",
  );
}

/**
 * Ends the session that has the deployment lock.
 *
 * @throws OperationError (wrong usage) where this process id has no such session; (not allowed) where this login may not end it
 */
export async function terminateHolder(connection: Connection, pid: number): Promise<void> {
  await withClient(
    connection,
    async (client) => {
      const holders = await readHolders(client);
      if (!holders.some((holder) => holder.pid === pid)) {
        const pids = holders.map((holder) => holder.pid).join(", ");
        throw new OperationError(
          `No session with the process id ${pid} holds the deployment lock (${pids === "" ? "nobody does" : `held by ${pids}`}).`,
          { exitCode: exitCode.usage },
        );
      }
      if (await terminate(client, pid)) return;
      throw new OperationError(`${connection.user} may not end session ${pid}, or it did not end.`, {
        remedy: "Ask as its own role or as a superuser (ROOT_DATABASE_URL is not used for this).",
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
): Promise<RepairFinding[]> {
  const status = await statusOf(client, files);
  requireKnown(status, connection);
  const tracked = new Set(status.applied.map(({ hash }) => hash));
  const pending = files.filter(({ hash }) => !tracked.has(hash));
  return [
    ...(await findInvalidIndexes(client, await indexesOf(pending, session))),
    ...(await findOpenRuns(client, { files, folder, session, done })),
    ...(await findForeignRecords(client, tracked)),
  ];
}

async function indexesOf(
  pending: readonly CommittedMigration[],
  { compile }: GraphileSession,
): Promise<ConcurrentIndex[]> {
  const outside = pending.filter(({ transactional }) => !transactional);
  const indexes = await Promise.all(outside.map((file) => concurrentIndexOf(compile(file.text.slice(file.bodyStart)))));
  return indexes.filter((index) => index !== undefined);
}

/** Nothing is wrong with these, and one who compares both records wonders. */
async function findForeignRecords(client: Client, tracked: ReadonlySet<string>): Promise<RepairFinding[]> {
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
  const found = `${count} applied ${count === 1 ? "migration is" : "migrations are"} recorded by graphile-migrate's own command line alone: nothing is wrong`;
  return [{ kind: "foreign-record", found }];
}

/** With the deployment lock, had at once: who repairs would wait for ever for the session that is the fault. */
async function withoutWaiting<T>(client: Client, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const waited = new AbortController();
  const either = signal === undefined ? waited.signal : AbortSignal.any([signal, waited.signal]);
  const onWait = ({ pid }: { pid: number }) =>
    waited.abort(
      new OperationError(`Session ${pid} holds the deployment lock: nothing was repaired.`, {
        remedy: `Let it end; if nobody is behind it any more, \`migrate repair --terminate ${pid}\` ends it.`,
        exitCode: exitCode.notAllowed,
      }),
    );
  return withDeploymentLock(client, work, onWait, either);
}
