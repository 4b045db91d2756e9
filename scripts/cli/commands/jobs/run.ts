import type { Command } from "commander";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import type { JobSpec } from "../../../databases/database-file.ts";
import type { JobResult } from "../../../databases/run-jobs.ts";
import { localStack } from "../../../stack/local-stack.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseOption, jsonOption, stackOption, urlOption } from "../../options.ts";
import { refuseInCopy } from "../../refuse-in-copy.ts";
import { showStep } from "../../step.ts";
import { givenConnection, resolveTargets, type Target, type TargetOptions } from "../../target.ts";

interface RunOptions extends TargetOptions {
  due?: boolean;
}

export function registerJobsRun(jobs: Command): void {
  jobs
    .command("run")
    .description("run the jobs that are due, or one job now, as the migrator, on servers without pg_cron")
    .argument("[name]", "job to run now, due or not")
    .option("--due", "run the jobs that are due by their schedules in UTC; for cron and systemd")
    .addOption(stackOption())
    .addOption(databaseOption("only the jobs of this database"))
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(action<RunOptions, [string | undefined]>(run));
}

/** A result with its database. */
type DatabaseResult = { database: string } & JobResult;

async function run(context: CommandContext, options: RunOptions, name: string | undefined): Promise<undefined> {
  if ((name === undefined) === (options.due !== true))
    throw new OperationError("Name a job, or add --due to run those that are due.", { exitCode: exitCode.usage });
  const { stack = localStack } = options;
  if (givenConnection(context, options) === undefined) await refuseInCopy(context, stack);
  const targets = await resolveTargets(context, options);
  if (targets[0]?.server?.kind === "docker")
    throw new OperationError(`The server of stack "${stack}" runs the jobs itself, with pg_cron.`, {
      hint: `\`npm run pgw -- jobs list${stack === localStack ? "" : ` --stack ${stack}`}\` shows them.`,
      exitCode: exitCode.usage,
    });
  const chosen = await jobsOf(targets, name);
  const results: DatabaseResult[] = [];
  for (const { target, jobs } of chosen) results.push(...(await runIn(context, target, jobs, name !== undefined)));
  context.out.answer({ jobs: results }, () => describe(results));
  const failed = results.flatMap((each) => (each.outcome === "failed" ? [each] : []));
  if (failed.length === 0) return undefined;
  const lines = failed.map(({ database, name: job, error }) => `- ${database}: ${job}: ${error}`);
  const ran = results.filter(({ outcome }) => outcome === "failed" || outcome === "succeeded").length;
  throw new OperationError([`${failed.length} of ${ran} jobs failed:`, ...lines].join("\n"), {
    hint: "Each is tried again when it is due next. `npm run pgw -- jobs run NAME` runs one now.",
  });
}

/** @throws OperationError (wrong usage) if no database has the named job */
async function jobsOf(targets: readonly Target[], name: string | undefined) {
  const { jobsOfFolder } = await import("../../../stack/job-state.ts");
  const found: { target: Target; jobs: JobSpec[] }[] = [];
  const known: string[] = [];
  for (const target of targets) {
    const jobs = await jobsOfFolder(target.folder);
    known.push(...jobs.map((job) => `${target.database}: ${job.name}`));
    found.push({ target, jobs: jobs.filter((job) => name === undefined || job.name === name) });
  }
  if (name !== undefined && found.every(({ jobs }) => jobs.length === 0))
    throw new OperationError(`No database has a job "${name}".`, {
      hint: known.length === 0 ? "None declares jobs in database.json." : `There are: ${known.join(", ")}.`,
      exitCode: exitCode.usage,
    });
  return found.filter(({ jobs }) => jobs.length > 0);
}

/** Runs jobs of one database. If it cannot be reached, its jobs have failed, and those of the others run. */
async function runIn(
  context: CommandContext,
  { connection, database }: Target,
  jobs: readonly JobSpec[],
  isForced: boolean,
): Promise<DatabaseResult[]> {
  const { runJobs } = await import("../../../databases/run-jobs.ts");
  const { out, signal, runId } = context;
  try {
    const results = await runJobs({
      ...{ connection, jobs, isForced, signal, runId },
      onStart: (job) => showStep(out, `${database}: ${job}`),
      onMessage: (job, message) => out.note(`${database}: ${job}: ${message}`),
    });
    return results.map((result) => ({ database, ...result }));
  } catch (error) {
    if (signal.aborted || !(error instanceof OperationError)) throw error;
    return jobs.map(({ name }) => ({ database, name, outcome: "failed", error: error.message }));
  }
}

function describe(results: readonly DatabaseResult[]): string {
  const ran = results.flatMap((each) => {
    const job = `${each.database}: ${each.name}`;
    if (each.outcome === "succeeded") return [`${job}: done in ${each.seconds.toFixed(1)} s`];
    return each.outcome === "busy" ? [`${job}: another process runs it now`] : [];
  });
  if (ran.length > 0 || results.some(({ outcome }) => outcome === "failed")) return ran.join("\n");
  const [next] = results
    .flatMap((each) => (each.outcome === "not due" && each.next !== undefined ? [each.next] : []))
    .toSorted((one, other) => one.getTime() - other.getTime());
  if (results.length === 0) return "no jobs are declared in database.json";
  return next === undefined ? "Nothing is due." : `Nothing is due before ${next.toISOString().slice(0, 19)}Z.`;
}
