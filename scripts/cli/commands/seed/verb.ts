import type { Command } from "commander";
import { databaseOption, jsonOption, stackOption, urlOption } from "../../options.ts";
import type { TargetOptions } from "../../target.ts";

export interface SeedOptions extends TargetOptions {
  set?: string[];
}

/** Adds a verb of `pgw seed` with the common options: the database, the seed sets, and the format of the answer. */
export function seedVerb(seed: Command, name: string, description: string): Command {
  return seed
    .command(name)
    .description(description)
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(urlOption())
    .option("--set <names...>", "seed sets to use, in order (default: those of the stack)")
    .addOption(jsonOption());
}
