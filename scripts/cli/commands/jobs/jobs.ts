import type { Command } from "commander";
import { type Registration, register } from "../../registration.ts";

const verbs: Readonly<Record<string, Registration>> = {
  list: async () => (await import("./list.ts")).registerJobsList,
  run: async () => (await import("./run.ts")).registerJobsRun,
};

export async function registerJobs(program: Command, typed: readonly string[]): Promise<void> {
  const jobs = program
    .command("jobs")
    .description("work with the maintenance jobs that databases declare in database.json");
  await register(jobs, verbs, typed);
}
