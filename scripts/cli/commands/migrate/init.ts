import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { type TargetOptions, targetToChange } from "../../target.ts";

export function registerMigrateInit(migrate: Command): void {
  databaseVerb(migrate, "init", "create the tables that record migrations, and nothing else").action(
    action<TargetOptions, []>(init),
  );
}

async function init(context: CommandContext, options: TargetOptions) {
  const { initialiseTracking } = await import("../../../migrate/apply.ts");
  const { connection, folder, label } = await targetToChange(context, options);
  const made = await initialiseTracking({ connection, folder, signal: context.signal });
  context.out.answer({ made }, () => `${label}: ${made ? "the tables were created" : "the tables already exist"}`);
  return exitCode.done;
}
