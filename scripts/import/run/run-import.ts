import { resolve } from "node:path";
import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import { requireOwnSession } from "../../connection/pooler.ts";
import { detectLostClients } from "../../connection/session.ts";
import { OperationError } from "../../core/operation-error.ts";
import { type LockHolder, withDeploymentLock } from "../../ledger/deployment-lock.ts";
import { planImport } from "../plan.ts";
import { requireSpaceToKeep } from "../source/kept-source.ts";
import { beginRun, ensureImportLedger, findInterrupted, setPhase } from "./ledger.ts";
import type { ImportResult, RunImportOptions } from "./options.ts";
import { checkStaged, requireNothingLoaded } from "./resume.ts";
import { RunSteps } from "./steps.ts";
import { fixTextForms } from "./text-forms.ts";

export type { ImportEvent, ImportResult, PhaseName, RunImportOptions } from "./options.ts";

/**
 * Imports a source: reads and converts all rows, validates them in the database, loads them, and compares the result
 * with the source. A run of the same source and map that was interrupted is continued.
 *
 * @throws OperationError if the map does not fit, or the run cannot go on. A stopped or failed verification is no error
 */
export async function runImport(options: RunImportOptions): Promise<ImportResult> {
  const { connection, onEvent, signal } = options;
  return withClient(
    connection,
    async (client) => {
      await requireOwnSession(client, connection);
      await detectLostClients(client);
      await fixTextForms(client);
      const onWait = (holder: LockHolder) => onEvent?.({ kind: "waiting", holder });
      const work = () =>
        importLocked(client, options).catch((error: unknown) => Promise.reject(explained(error, client)));
      return withDeploymentLock(client, work, onWait, signal);
    },
    "pgroundwork import",
  );
}

/** Explains a missing privilege, such as on a table of another owner that references an imported one. */
function explained(error: unknown, { user }: Client): unknown {
  if (!(error instanceof Error && "code" in error && error.code === "42501")) return error;
  return new OperationError(`The role ${user} may not do what this import needs: ${error.message}.`, {
    hint: "Grant it the privilege, or let it own the object. Then run the import again: it continues.",
    cause: error,
  });
}

async function importLocked(client: Client, options: RunImportOptions): Promise<ImportResult> {
  const { source, map, database, dryRun = false } = options;
  const plan = await planImport(client, source, map, database);
  const steps = new RunSteps(client, options, plan);
  if (dryRun) {
    await client.query("begin");
    try {
      await ensureImportLedger(client);
      const run = await beginRun(client, source, plan, options.runId);
      await steps.stage(run);
      await steps.collectMissing(run);
      return await steps.finish(run, "dry run");
    } finally {
      await client.query("rollback").catch(() => {});
    }
  }
  if (options.keepSource !== undefined) await requireSpaceToKeep(source, resolve(options.keepSource));
  await ensureImportLedger(client);
  const interrupted = await findInterrupted(client, source, plan);
  if (interrupted !== undefined) options.onEvent?.({ kind: "resumed", run: interrupted.id, phase: interrupted.phase });
  const run = interrupted ?? (await beginRun(client, source, plan, options.runId));
  await steps.replaceInterrupted(run);
  await checkStaged(client, run, plan);
  if (run.phase === "staging") await steps.stage(run);
  else await steps.restoreStaged(run);
  if (run.phase !== "loaded") {
    if (steps.exceedsRejects()) {
      await requireNothingLoaded(client, run);
      await steps.collectMissing(run);
      await steps.dropStages(run);
      await setPhase(client, run, "stopped");
      return steps.finish(run, "stopped");
    }
    if (run.phase === "staging") await setPhase(client, run, "validated");
  }
  if (run.phase === "validated" || run.phase === "loading") await steps.load(run);
  const verified = await steps.verify(run);
  await steps.collectMissing(run);
  await steps.dropStages(run);
  if (verified) await setPhase(client, run, "verified");
  return steps.finish(run, verified ? "verified" : "not verified");
}
