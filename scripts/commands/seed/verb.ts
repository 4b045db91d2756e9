import type { Command } from "commander";
import { databaseOption, jsonOption, stackOption, urlOption } from "../cli/options.ts";
import type { TargetOptions } from "../cli/target.ts";

export interface SeedOptions extends TargetOptions {
  set?: string[];
}

/** A verb of `pgw seed` with what all of them take: which database, which sets, and in what form the answer is wanted. */
export function seedVerb(seed: Command, name: string, description: string): Command {
  return seed
    .command(name)
    .description(description)
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(urlOption())
    .option("--set <names...>", "the seed sets, in order (default: the stack's)")
    .addOption(jsonOption());
}
