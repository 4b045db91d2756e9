import type { Client } from "pg";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import type { ImportPlan } from "../plan.ts";
import { type ImportRun, setPhase, stageName } from "./ledger.ts";

/*
 * An interrupted run continues with the rows that it staged. They were converted for the target as it was then, and
 * counted with the policy of that call.
 */

/**
 * Prepares a run that was interrupted after its validation. If columns of the target changed since, the run starts
 * over.
 *
 * @throws OperationError if columns changed and rows are loaded already
 */
export async function checkStaged(client: Client, run: ImportRun, plan: ImportPlan): Promise<void> {
  if (run.phase !== "validated" && run.phase !== "loading") return;
  const changed = await changedColumns(client, run, plan);
  if (changed.length === 0) return;
  if (await hasLoaded(client, run))
    throw new OperationError(`Columns changed since import ${run.id} was interrupted: ${changed.join(", ")}.`, {
      hint: `It has loaded rows. Change the columns back to continue, or run \`import rollback ${run.id}\` and import again.`,
      exitCode: exitCode.notAllowed,
    });
  await setPhase(client, run, "staging");
}

/**
 * Makes sure that a run which would stop now has loaded nothing.
 *
 * @throws OperationError if it has loaded rows
 */
export async function requireNothingLoaded(client: Client, run: ImportRun): Promise<void> {
  if (!(await hasLoaded(client, run))) return;
  throw new OperationError(`Import ${run.id} rejected more rows than may be rejected now, and has loaded others.`, {
    hint: `Allow them with --max-rejects to continue, or run \`import rollback ${run.id}\`.`,
    exitCode: exitCode.notAllowed,
  });
}

/** Names columns of the target whose staged values have another type, or none. */
async function changedColumns(client: Client, run: ImportRun, { tables }: ImportPlan): Promise<string[]> {
  const changed: string[] = [];
  for (const plan of tables) {
    const staged = plan.columns.map(({ target }) => target);
    const { rows } = await client.query<{ name: string; type: string }>(
      `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
        where attrelid = to_regclass($1) and attnum > 0 and not attisdropped`,
      [stageName(run, plan)],
    );
    const types = new Map(rows.map(({ name, type }) => [name, type]));
    for (const { name, type } of staged)
      if (types.get(name) !== type.stored) changed.push(`${plan.table.name}.${name}`);
  }
  return changed;
}

/** Returns true if a batch of the run was committed. */
async function hasLoaded(client: Client, run: ImportRun): Promise<boolean> {
  const { rows } = await client.query<{ loaded: boolean }>(
    `select exists (select from pgroundwork.import_table where run = $1 and progress > 0)
         or exists (select from pgroundwork.import_row where run = $1 and action in ('updated', 'deleted')) as loaded`,
    [run.number],
  );
  return rows[0]?.loaded === true;
}
