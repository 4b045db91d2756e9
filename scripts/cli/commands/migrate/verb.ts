import type { Command } from "commander";

/**
 * Returns the answer of a command that reads several databases. One database: its answer as it is. Otherwise: an array
 * of answers, each with its database's name.
 */
export function answerOfDatabases<Answer extends { database: string }>(answers: readonly Answer[]): object {
  const [first, ...others] = answers;
  if (first === undefined || others.length > 0) return { databases: answers };
  const { database: _, ...only } = first;
  return only;
}

/** Options of verbs that run files: timeouts, retries, and accepted problems. */
export interface RunOptions {
  allow?: string[];
  lockTimeout?: string;
  statementTimeout?: string;
  retryFor?: string;
}

/** Adds the options of {@link RunOptions}. */
export function withRunOptions(verb: Command): Command {
  return verb
    .option(
      "--lock-timeout <duration>",
      "stop waiting for a lock after this time, and retry the file (default: 3s; none for CONCURRENTLY)",
    )
    .option("--statement-timeout <duration>", "cancel a statement that runs longer than this (default: no limit)")
    .option("--retry-for <duration>", "time during which a file is retried after a lock timeout (default: 2min)")
    .option("--allow <files...>", "accept the problems of exactly these files, for this run");
}
