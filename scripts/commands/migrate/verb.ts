import type { Command } from "commander";
import { databaseOption, jsonOption, stackOption, urlOption } from "../cli/options.ts";

/** A verb of `pgw migrate` with what all of them take: which database, and in what form the answer is wanted. */
export function migrateVerb(migrate: Command, name: string, description: string): Command {
  return migrate
    .command(name)
    .description(description)
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(urlOption())
    .addOption(jsonOption());
}
