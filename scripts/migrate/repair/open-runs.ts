import type { Client } from "pg";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { ensureLedger, tableAccess } from "../../ledger/kit-schema.ts";
import type { CommittedMigration } from "../committed.ts";
import { readDownFile } from "../down-file.ts";
import { type GraphileSession, trackingTable } from "../graphile-migrate.ts";
import { type StatementOutcome, statementOutcome } from "../statement-outcome.ts";
import type { DatabaseLeftover } from "./leftover.ts";

/** A run outside a transaction that was started and whose end is not recorded. */
interface OpenRun {
  id: string;
  filename: string;
  direction: "up" | "down";
  hash: string;
  startedAt: Date;
  /** True if graphile-migrate's table has the file. */
  tracked: boolean;
}

/** The migrations of a database, as {@link findOpenRuns} needs them. */
export interface OpenRunContext {
  files: readonly CommittedMigration[];
  folder: string;
  session: GraphileSession;
  /** Names of files whose statement a person confirms as complete. */
  done: readonly string[];
}

/**
 * Finds the runs whose end is not known, each with its outcome according to the catalog.
 *
 * @throws OperationError (exit code usage) for a name in `done` that has no such run
 */
export async function findOpenRuns(client: Client, context: OpenRunContext): Promise<DatabaseLeftover[]> {
  const rows = await readOpenRuns(client);
  const idle = context.done.filter((name) => !rows.some(({ filename }) => filename === name));
  if (idle.length > 0) {
    throw new OperationError(`--done ${idle.join(", ")}: no interrupted run of this file is recorded.`, {
      hint: "Use the exact name of a file that `migrate repair` lists.",
      exitCode: exitCode.usage,
    });
  }
  requireFiles(rows, context);
  const leftovers: DatabaseLeftover[] = [];
  for (const run of rows) leftovers.push(await leftover(client, run, context));
  return leftovers;
}

/** @throws OperationError (exit code usage) for a name in `done` without the file that was run */
function requireFiles(rows: readonly OpenRun[], { done, files }: OpenRunContext): void {
  const gone = done.filter((name) => {
    const runs = rows.filter(({ filename }) => filename === name);
    return runs.every((run) => isWithoutFile(run, files));
  });
  if (gone.length === 0) return;
  throw new OperationError(`--done ${gone.join(", ")}: no committed file has the content that was run.`, {
    hint: "Restore the file as it was run, or close the run as failed: `migrate repair` without --done.",
    exitCode: exitCode.usage,
  });
}

/** Returns true if the file that was run does not exist, or has other content by now. */
function isWithoutFile({ direction, tracked, hash }: OpenRun, files: readonly CommittedMigration[]): boolean {
  return direction === "up" && !tracked && !files.some((file) => file.hash === hash);
}

async function readOpenRuns(client: Client): Promise<OpenRun[]> {
  for (const [schema, table] of [
    ["pgroundwork", "migration_ledger"],
    [trackingTable.schema, trackingTable.name],
  ] as const)
    if ((await tableAccess(client, schema, table)) !== "readable") return [];
  const { rows } = await client.query<OpenRun>(
    `select id, filename, direction, hash, started_at as "startedAt",
            exists (select from graphile_migrate.migrations tracked where tracked.hash = entry.hash) as tracked
       from pgroundwork.migration_ledger entry where finished_at is null order by id`,
  );
  return rows;
}

async function leftover(client: Client, run: OpenRun, context: OpenRunContext): Promise<DatabaseLeftover> {
  const what = run.direction === "up" ? run.filename : `the down migration of ${run.filename}`;
  const begun = `${what} was started outside a transaction on ${run.startedAt.toISOString()}, but its end is not recorded`;
  const kind = "open-run" as const;
  // graphile-migrate's own CLI or a later run completed it.
  if (run.tracked === (run.direction === "up")) {
    const action = `complete the record: it is ${run.direction === "up" ? "applied" : "reverted"}`;
    return { kind, found: begun, action, act: (session) => finish(session, run) };
  }
  if (isWithoutFile(run, context.files)) {
    const found = `${begun}, and no committed file has the content that was run`;
    const action = "record the run as failed; what it did stays in the database, so check it and revert it by hand";
    return { kind, found, action, act: (session) => fail(session, run) };
  }
  const isDeclared = context.done.includes(run.filename);
  const outcome = isDeclared ? "done" : await outcomeOf(client, run, context);
  switch (outcome) {
    case "done": {
      const found = `${begun}; ${isDeclared ? "--done declares that it completed" : "the catalog shows that it completed"}`;
      const action = run.direction === "up" ? "record it as applied" : "record it as reverted";
      return { kind, found, action, act: (session) => settle(session, run, context.files) };
    }
    case "notDone":
    case "repeatable": {
      const found = `${begun}; ${outcome === "notDone" ? "the catalog shows no effect of it" : "it can safely run again"}`;
      const state = run.direction === "up" ? "stays pending, and the next `migrate up` runs it" : "stays applied";
      return {
        kind,
        found,
        action: `record the run as failed; the file ${state}`,
        act: (session) => fail(session, run),
      };
    }
    case "unknown": {
      const again = run.direction === "up" ? "migrate up" : "migrate down";
      const advice = `Check whether its statement completed. If it did: \`migrate repair --done ${run.filename}\`. If not: \`${again}\``;
      return { kind, found: `${begun}; the catalog does not show whether it completed`, advice };
    }
  }
}

async function outcomeOf(
  client: Client,
  run: OpenRun,
  { files, folder, session }: OpenRunContext,
): Promise<StatementOutcome> {
  if (run.direction === "down") {
    const down = readDownFile(folder, run.filename);
    return down === undefined ? "unknown" : statementOutcome(client, session.compile(down.text));
  }
  const file = files.find(({ hash }) => hash === run.hash);
  if (file === undefined) return "unknown";
  return statementOutcome(client, session.compile(file.text.slice(file.bodyStart)));
}

async function finish(client: Client, { id }: OpenRun): Promise<void> {
  await client.query("update pgroundwork.migration_ledger set finished_at = clock_timestamp() where id = $1", [id]);
}

async function fail(client: Client, { id }: OpenRun): Promise<void> {
  await ensureLedger(client, "migration_ledger");
  await client.query(
    "update pgroundwork.migration_ledger set finished_at = clock_timestamp(), outcome = 'failed' where id = $1",
    [id],
  );
}

/** Updates both records in one statement. The duration is not known. */
async function settle(client: Client, run: OpenRun, files: readonly CommittedMigration[]): Promise<void> {
  const close = "update pgroundwork.migration_ledger set finished_at = clock_timestamp() where id = $1";
  if (run.direction === "down") {
    await client.query(`with untracked as (delete from graphile_migrate.migrations where hash = $2) ${close}`, [
      run.id,
      run.hash,
    ]);
    return;
  }
  const file = files.find(({ hash }) => hash === run.hash);
  if (file === undefined) throw new Error(`${run.filename} has no file of the hash ${run.hash}`);
  await client.query(
    `with tracked as (insert into graphile_migrate.migrations (hash, previous_hash, filename) values ($2, $3, $4)) ${close}`,
    [run.id, file.hash, file.previousHash, file.trackingName],
  );
}
