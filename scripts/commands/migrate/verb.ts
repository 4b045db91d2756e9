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

/** What verbs take that run files: how long these wait for locks and run, and what is wrong with them is accepted. */
export interface RunOptions {
  allow?: string[];
  lockTimeout?: string;
  statementTimeout?: string;
  retryFor?: string;
}

/** Options of {@link RunOptions}. */
export function withRunOptions(verb: Command): Command {
  return verb
    .option(
      "--lock-timeout <duration>",
      "give way when a lock is not had within it (default: 3s; none for CONCURRENTLY)",
    )
    .option("--statement-timeout <duration>", "cancel a statement that runs longer (default: without limit)")
    .option("--retry-for <duration>", "how long a file that gave way is tried again (default: 2min)")
    .option("--allow <files...>", "accept what is wrong with exactly these files, for this run");
}
