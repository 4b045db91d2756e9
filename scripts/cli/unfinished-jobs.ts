import { join } from "node:path";
import { databaseFolder } from "../databases/database-file.ts";
import { declaredSettings } from "../stack/declared-settings.ts";
import type { CommandContext } from "./context.ts";
import type { ReadOutputs } from "./stack.ts";

/** Returns true if databases declare jobs that `pgw jobs run` runs. */
export async function hasJobs(root: string, databases: readonly string[]): Promise<boolean> {
  const { jobsOfFolder } = await import("../stack/job-state.ts");
  const folders = databases.map((name) => databaseFolder(join(root, "migrations"), name));
  return (await Promise.all(folders.map(jobsOfFolder))).some((jobs) => jobs.length > 0);
}

/** Warns if jobs of a stack that was just brought up have failed or are overdue. pg_cron's are watched by alerts. */
export async function warnOfJobs(context: CommandContext, stack: string, readOutputs: ReadOutputs): Promise<void> {
  const { kind, databases } = await declaredSettings(context.root, stack);
  if (kind === "docker" || !(await hasJobs(context.root, databases))) return;
  const { jobWarning, readStackJobs } = await import("../stack/job-state.ts");
  const outputs = await readOutputs();
  const warning = jobWarning(await readStackJobs(outputs, context.root, stack), stack, outputs.protected);
  if (warning !== undefined) context.out.warn(warning);
}
