import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import { describeHolder } from "../../../ledger/deployment-lock.ts";
import type { SeedEvent } from "../../../seed/apply.ts";
import { action, type CommandContext } from "../../context.ts";
import { showStep } from "../../step.ts";
import { targetToChange } from "../../target.ts";
import { setsOf } from "./sets.ts";
import { type SeedOptions, seedVerb } from "./verb.ts";

export function registerSeedApply(seed: Command): void {
  seedVerb(seed, "apply", "run the seed files that are new or changed").action(action<SeedOptions, []>(apply));
}

async function apply(context: CommandContext, options: SeedOptions) {
  const { applySeeds } = await import("../../../seed/apply.ts");
  const target = await targetToChange(context, options);
  const sets = await setsOf(context, options, target);
  const { connection, folder } = target;
  const onEvent = (event: SeedEvent) => showEvent(context, event);
  const result = await applySeeds({ connection, folder, sets, onEvent, signal: context.signal, runId: context.runId });
  context.out.answer(
    result,
    () => `${target.label}: ${result.applied.length} applied, ${result.skipped.length} unchanged`,
  );
  return exitCode.done;
}

function showEvent(context: CommandContext, event: SeedEvent): void {
  if (event.kind === "waiting") context.out.note(`waiting for another deployer: ${describeHolder(event.holder)}`);
  if (event.kind === "started")
    showStep(context.out, `applying ${event.set}/${event.filename} (${event.index} of ${event.total})`, {
      announce: false,
    });
  if (event.kind === "applied") {
    context.out.endStep();
    context.out.note(`applied ${event.set}/${event.filename} in ${Math.round(event.durationMs)} ms`);
  }
}
