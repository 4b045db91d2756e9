import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import { describeHolder } from "../../../ledger/deployment-lock.ts";
import type { SeedEvent } from "../../../seed/apply.ts";
import { action, type Run } from "../../run.ts";
import { showStep } from "../../step.ts";
import { resolveTarget } from "../../target.ts";
import { setsOf } from "./sets.ts";
import { type SeedOptions, seedVerb } from "./verb.ts";

export function registerSeedApply(seed: Command): void {
  seedVerb(seed, "apply", "run the seed files that are new or changed").action(action<SeedOptions, []>(apply));
}

async function apply(run: Run, options: SeedOptions) {
  const { applySeeds } = await import("../../../seed/apply.ts");
  const target = await resolveTarget(run, options);
  const sets = await setsOf(run, options, target);
  const { connection, folder } = target;
  const onEvent = (event: SeedEvent) => showEvent(run, event);
  const result = await applySeeds({ connection, folder, sets, onEvent, signal: run.signal, runId: run.runId });
  run.out.answer(result, () => `${target.label}: ${result.applied.length} applied, ${result.skipped.length} unchanged`);
  return exitCode.done;
}

function showEvent(run: Run, event: SeedEvent): void {
  if (event.kind === "waiting") run.out.note(`waiting for another deployer: ${describeHolder(event.holder)}`);
  if (event.kind === "started")
    showStep(run.out, `applying ${event.set}/${event.filename} (${event.index} of ${event.total})`, {
      announce: false,
    });
  if (event.kind === "applied") {
    run.out.endStep();
    run.out.note(`applied ${event.set}/${event.filename} in ${Math.round(event.durationMs)} ms`);
  }
}
