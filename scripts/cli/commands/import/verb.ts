import type { Command } from "commander";
import { databaseOption, jsonOption, stackOption, urlOption } from "../../options.ts";

/** Adds a verb of `pgw import` with the common options: the database, and the format of the answer. */
export function importVerb(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(urlOption())
    .addOption(jsonOption());
}
