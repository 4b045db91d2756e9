import type { BegunInPlace } from "../../backup/restore/in-place/begun-in-place.ts";
import { ago, duration } from "../../core/age.ts";
import { type JobState, jobFault } from "../../databases/job-state.ts";
import { describeProblem } from "../../migrate/verify.ts";
import {
  dumpDueCommand,
  finishRestoreCommand,
  jobsRunCommand,
  recoverCommand,
  resumeCommand,
  undoRestoreCommand,
  upCommand,
} from "../../model/command-lines.ts";
import { isForgotten } from "../../stack/kept-clusters.ts";
import type { DatabaseStatus, StackStatus } from "../../stack/status.ts";
import { style } from "../output.ts";
import { bytes } from "./backup/texts.ts";

/** Number of names that are listed before the rest is only counted, so that the answer fits on one screen. */
const listed = 5;

/** Describes the state of a stack on one screen, without any password. */
export function describeStatus(status: StackStatus, now: Date): string {
  const { stack, server, databases, notCreated } = status;
  const option = stack === "local" ? "" : ` --stack ${stack}`;
  const [first] = databases;
  const url = `npm run -s pgw -- url${option} --database ${first?.name ?? "NAME"} --role app`;
  const next = server.state === "stopped" ? [row("next", `${upCommand(stack)}     (starts the server)`)] : [];
  return [
    row("stack", `${stack}${status.protected ? ", protected" : ""}`),
    ...describeServer(status, now),
    ...(status.disk === null ? [] : [row("disk", style(status.disk.full ? "red" : "yellow", status.disk.text))]),
    ...describeKept(status),
    ...describeContainers(status),
    ...databases.flatMap(describeDatabase),
    ...notCreated.map((name) => row("database", `${name}: not created yet, ${style("yellow", "`up` creates it")}`)),
    ...describeJobs(status),
    ...describeBackups(status),
    ...describeDumps(status),
    row("URL", `${url}     (prints the password)`),
    ...next,
  ].join("\n");
}

function describeServer({ server }: StackStatus, now: Date): string[] {
  const { kind, host, port, sslmode } = server;
  const address = `${host}:${port}, sslmode=${sslmode}`;
  switch (server.state) {
    case "running": {
      const age = duration((now.getTime() - Date.parse(server.startedAt)) / 1_000);
      const since = `running since ${server.startedAt.slice(0, 19)}Z (${age})`;
      return [row("server", `PostgreSQL ${server.version} (${kind}) on ${address}: ${style("green", since)}`)];
    }
    case "stopped":
      return [row("server", `${kind}, on ${address}: ${style("red", "stopped")}: ${server.reason}`)];
    case "unknown":
      return [row("server", `${kind}, on ${address}: ${style("red", "could not be asked")}: ${server.reason}`)];
  }
}

function describeKept({ keptClusters, stack }: StackStatus): string[] {
  if (!keptClusters.known) return [row("kept", unknown(keptClusters.reason))];
  const { clusters, begun } = keptClusters;
  return [
    ...(begun === undefined ? [] : [row("restore", describeBegun(begun, stack))]),
    ...clusters.map((cluster) => {
      const { folder, bytes: size, restoredAt, ageSeconds, canReturn } = cluster;
      const what = canReturn ? "the cluster from before the restore" : "put aside by an undo of the restore";
      const text = `${folder} (${bytes(size)}): ${what} of ${restoredAt}, ${ago(ageSeconds)}`;
      return row("kept", isForgotten(cluster) ? style("yellow", text) : text);
    }),
    ...(clusters.some(({ canReturn }) => canReturn) ? [`  return to it: ${undoRestoreCommand(stack)}`] : []),
    ...(clusters.length > 0 ? [`  remove it:    ${finishRestoreCommand(stack)}`] : []),
  ];
}

function describeBegun(begun: BegunInPlace, stack: string): string {
  switch (begun) {
    case "running":
      return "in place, which runs now";
    case "killed":
      return `in place: ${style("red", "was killed")}; to complete or revert it: ${recoverCommand(stack)}`;
    case "elsewhere":
      return `in place: ${style("red", "not complete")}; it ran on another machine, and may still run`;
  }
}

function describeContainers({ containers }: StackStatus): string[] {
  if (!containers.known) return [row("containers", `${style("red", "not known")}: ${containers.reason}`)];
  return containers.containers.map(({ name, running, status }) =>
    row("container", `${name}: ${running ? status : style("red", status)}`),
  );
}

function describeDatabase({ name, roles, migrations, seeds }: DatabaseStatus): string[] {
  const logins = Object.values(roles).join(", ");
  return [
    row("database", style("bold", name)),
    `  roles      ${logins}`,
    `  migrations ${describeMigrations(migrations)}`,
    `  seeds      ${seeds.known ? pending(seeds.pending.map(({ set, filename }) => `${set}/${filename}`)) : unknown(seeds.reason)}`,
  ];
}

function describeMigrations(migrations: DatabaseStatus["migrations"]): string {
  if (!migrations.known) return unknown(migrations.reason);
  const state = `${migrations.applied} applied, ${pending(migrations.pending)}`;
  if (migrations.problems.length === 0) return state;
  const problems = migrations.problems.slice(0, listed).map((problem) => `\n    ${describeProblem(problem)}`);
  const more = migrations.problems.length > listed ? `\n    and ${migrations.problems.length - listed} more` : "";
  return `${state}; ${style("red", "files and database do not match")}:${problems.join("")}${more}`;
}

function describeJobs({ jobs, stack }: StackStatus): string[] {
  if (jobs === null) return [];
  if (!jobs.known) return [row("jobs", unknown(jobs.reason))];
  const faulty = jobs.jobs.filter((job) => jobFault(job) !== undefined);
  const runs = jobs.runner === "pg_cron" ? "scheduled" : `declared, which run with: ${jobsRunCommand(stack)}`;
  const next = jobs.pending.length > 0 ? `; ${pending(jobs.pending)}` : "";
  return [
    row("jobs", `${jobs.jobs.length} ${runs}${next}`),
    ...faulty.slice(0, listed).map((job) => `  ${describeJob(job, stack)}`),
    ...(faulty.length > listed ? [`  and ${faulty.length - listed} more`] : []),
  ];
}

function describeJob(job: JobState, stack: string): string {
  const { database, name, startedAt, endedAt, message, overdueSeconds } = job;
  const fault = jobFault(job) ?? "";
  const begun = startedAt === null ? "it has never run" : `its last run began at ${startedAt.slice(0, 19)}Z`;
  const last = endedAt === null ? begun : `its last run ended at ${endedAt.slice(0, 19)}Z`;
  const reasons: Record<string, string> = {
    failed: `${last} with: ${(message ?? "no message").trim().split("\n", 1)[0]}`,
    overdue: `${duration(overdueSeconds ?? 0)}, ${last}`,
    paused: `a restore in place paused it; to enable it: ${resumeCommand(stack)}`,
    stopped: "someone has stopped it; `up` starts it again",
    unknown: "pg_cron records no runs (cron.log_run is off)",
  };
  return `${style("red", fault.padEnd(10))} ${database}: ${name}: ${reasons[fault]}`;
}

function describeBackups({ backups, stack }: StackStatus): string[] {
  if (backups === null) return [];
  if (!backups.known) return [row("backups", unknown(backups.reason))];
  const { last, underWay, findings } = backups;
  const newest = last === null ? "none yet" : `last ${last.label} (${last.type}), ${ago(last.ageSeconds)}`;
  const option = stack === "local" ? "" : ` --stack ${stack}`;
  return [
    row("backups", `${newest}${underWay ? "; one is being made now" : ""}`),
    ...findings.slice(0, listed).map(({ level, text }) => `  ${style("red", level)}    ${text}`),
    ...(findings.length > listed ? [`  ${findings.length - listed} more: npm run pgw -- backup list${option}`] : []),
  ];
}

function describeDumps({ dumps, stack }: StackStatus): string[] {
  if (dumps === null) return [];
  const { folder, findings } = dumps;
  const more = findings.length > listed ? [`  and ${findings.length - listed} more`] : [];
  return [
    row("dumps", findings.length === 0 ? `current, in ${folder}` : `make those that are due: ${dumpDueCommand(stack)}`),
    ...findings.slice(0, listed).map(({ level, text }) => `  ${style("red", level)}    ${text}`),
    ...more,
  ];
}

function pending(names: readonly string[]): string {
  if (names.length === 0) return "nothing pending";
  const more = names.length > listed ? ` and ${names.length - listed} more` : "";
  return `${style("yellow", `${names.length} pending`)}: ${names.slice(0, listed).join(", ")}${more}`;
}

function unknown(reason: string): string {
  return `${style("red", "not known")}: ${reason}`;
}

function row(title: string, text: string): string {
  return `${style("bold", title.padEnd(12))} ${text}`;
}
