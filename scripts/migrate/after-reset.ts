import type { Client } from "pg";
import { isNoExtensions, isOwnSchema } from "../catalog/own-objects.ts";
import { ensureLedger, tableAccess } from "../ledger/kit-schema.ts";
import { trackingTable } from "./graphile-migrate.ts";
import { type HookRun, runHooks } from "./hooks.ts";

/**
 * Comment on the kit's schema from before the hooks begin until they have ended. A run that was killed in between is
 * repeated.
 */
const mark = "afterReset of .gmrc has not ended";

/**
 * Decides if the hook `afterReset` is due: once in the life of a database, before its first migration, and only while
 * the database is empty. Call it with the deployment lock, before the tables that record migrations are created.
 *
 * @returns true if the caller must call {@link runAfterReset} once these tables exist
 */
export async function beginAfterReset(client: Client, { session }: Pick<HookRun, "session">): Promise<boolean> {
  if (session.hooks.afterReset.length === 0) return false;
  if (await isMarked(client)) return true;
  if (!(await isNew(client))) return false;
  await ensureLedger(client, "migration_ledger");
  await client.query(`comment on schema pgroundwork is '${mark}'`);
  return true;
}

/**
 * Runs the hook `afterReset`.
 *
 * @throws SqlFileError, OperationError: the hook runs again the next time
 */
export async function runAfterReset(client: Client, hooks: HookRun): Promise<void> {
  await runHooks("afterReset", hooks);
  await client.query("comment on schema pgroundwork is null");
}

async function isMarked(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ comment: string | null }>(
    "select obj_description(oid, 'pg_namespace') as comment from pg_namespace where nspname = 'pgroundwork'",
  );
  return rows[0]?.comment === mark;
}

/**
 * True if nothing is recorded and no one has created objects. The stack's own preparations (extensions, the ledger's
 * table) do not count.
 */
async function isNew(client: Client): Promise<boolean> {
  if ((await tableAccess(client, trackingTable.schema, trackingTable.name)) !== "absent") return false;
  const access = await tableAccess(client, "pgroundwork", "migration_ledger");
  if (access === "denied") return false;
  const recorded = access === "readable" ? "exists (select from pgroundwork.migration_ledger)" : "false";
  const { rows } = await client.query<{ new: boolean }>(
    `select not (${recorded}
       or exists (select from pg_class c join pg_namespace n on n.oid = relnamespace
                   where ${isOwnSchema("nspname")} and ${isNoExtensions("pg_class", "c.oid")})
       or exists (select from pg_proc p join pg_namespace n on n.oid = pronamespace
                   where ${isOwnSchema("nspname")} and ${isNoExtensions("pg_proc", "p.oid")})
       or exists (select from pg_type t join pg_namespace n on n.oid = typnamespace
                   where ${isOwnSchema("nspname")} and ${isNoExtensions("pg_type", "t.oid")})) as new`,
  );
  return rows[0]?.new ?? false;
}
