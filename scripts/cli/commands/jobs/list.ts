import type { Command } from "commander";
import { type ExitCode, exitCode, OperationError } from "../../../core/operation-error.ts";
import { type JobState, jobFault } from "../../../databases/job-state.ts";
import { nextRun } from "../../../model/cron.ts";
import { localStack } from "../../../stack/local-stack.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { style } from "../../output.ts";
import { table } from "../../table.ts";
import { givenConnection, resolveTarget, type TargetOptions } from "../../target.ts";

export function registerJobsList(jobs: Command): void {
  databaseVerb(
    jobs,
    "list",
    "list the jobs with their last run and the next one, in UTC (exit code 5 if one has failed or is overdue)",
  ).action(action<TargetOptions, []>(list));
}

/** A job as the command prints it. Times in ISO 8601. */
interface ListedJob {
  database: string;
  name: string;
  schedule: string;
  state: "never run" | "running" | "succeeded" | "failed" | "overdue" | "stopped" | "paused" | "unknown";
  startedAt: string | null;
  endedAt: string | null;
  /** Error of the last run. null if it did not fail. */
  error: string | null;
  /** Time at which the job is to run next. In the past if it is due. null if never. */
  nextAt: string | null;
}

async function list(context: CommandContext, options: TargetOptions): Promise<ExitCode> {
  const { runner, states } = await readStates(context, options);
  const now = new Date();
  const jobs = states.map((state) => describedJob(state, runner, now));
  context.out.answer({ runner, jobs }, () => describe(jobs, now));
  return jobs.some(({ state }) => faults.includes(state)) ? exitCode.wrong : exitCode.done;
}

const faults: readonly ListedJob["state"][] = ["failed", "overdue", "stopped", "paused", "unknown"];

type Runner = "pg_cron" | "command" | null;

async function readStates(
  context: CommandContext,
  options: TargetOptions,
): Promise<{ runner: Runner; states: JobState[] }> {
  const { readJobsOf, readStackJobs } = await import("../../../stack/job-state.ts");
  if (givenConnection(context, options) !== undefined) {
    const { connection, database, folder } = await resolveTarget(context, options);
    return { runner: "command", states: await readJobsOf(connection, database, folder) };
  }
  const { stack = localStack, database } = options;
  const { outputsOf } = await import("../../stack.ts");
  const outputs = await outputsOf(context, stack, true);
  if (database !== undefined) await resolveTarget(context, { stack, database });
  const read = await readStackJobs(outputs, context.root, stack);
  if (read === null) return { runner: null, states: [] };
  if (!read.known) throw new OperationError(`The state of the jobs is not known: ${read.reason}`);
  const states = read.jobs.filter((job) => database === undefined || job.database === database);
  return { runner: read.runner, states };
}

function describedJob(job: JobState, runner: Runner, now: Date): ListedJob {
  const { database, name, schedule, startedAt, endedAt, message, failed } = job;
  const isRunning = startedAt !== null && (endedAt === null || endedAt < startedAt) && failed === false;
  const ended = startedAt === null ? "never run" : "succeeded";
  // A job that never ran is due at once, but pg_cron waits for the next time in its schedule.
  const isFirst = startedAt === null && runner === "command";
  const next = isFirst ? now : nextRun(schedule, startedAt === null ? now : new Date(startedAt));
  return {
    ...{ database, name, schedule, startedAt, endedAt },
    state: jobFault(job) ?? (isRunning ? "running" : ended),
    error: failed === true ? message : null,
    nextAt: next?.toISOString() ?? null,
  };
}

function describe(jobs: readonly ListedJob[], now: Date): string {
  if (jobs.length === 0) return "no jobs are declared in database.json";
  const time = (at: string | null) => (at === null ? "never" : `${at.slice(0, 19)}Z`);
  const rows = jobs.map(({ database, name, schedule, state, startedAt, nextAt }) => [
    ...[database, name, schedule],
    faults.includes(state) ? style("red", state) : state,
    time(startedAt),
    nextAt !== null && new Date(nextAt) <= now ? "now" : time(nextAt),
  ]);
  const errors = jobs.flatMap(({ database, name, error }) =>
    error === null ? [] : [`${database}: ${name}: ${error.trim().split("\n", 1)[0]}`],
  );
  return [table(["database", "job", "schedule (UTC)", "state", "last run", "next run"], rows), ...errors].join("\n");
}
