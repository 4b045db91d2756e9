import type { KeyObject } from "node:crypto";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Drill, DrilledDatabase } from "../../../backup/drill/drill.ts";
import type { EvidencePosition } from "../../../backup/drill/evidence.ts";
import type { ComparedObjective } from "../../../backup/drill/objectives.ts";
import { type ExitCode, exitCode, OperationError } from "../../../core/operation-error.ts";
import { orWarn } from "../../../core/or-warn.ts";
import { databaseFolders } from "../../../databases/database-file.ts";
import { formatDuration } from "../../../model/duration.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import { jsonOption, repositoryOption, stackOption } from "../../options.ts";
import { style } from "../../output.ts";
import { showStep } from "../../step.ts";
import { type BackupsInEngine, backupsOf } from "./stack.ts";
import { bytes } from "./texts.ts";

interface DrillOptions {
  stack?: string;
  repository?: string;
  due?: boolean;
  random?: boolean;
  evidence?: string;
  key?: string;
}

/** Time limit in seconds for the recovery, and for each query on the restored server. */
const limitSeconds = 6 * 3_600;

export function registerBackupDrill(backup: Command): void {
  backup
    .command("drill")
    .description(
      "restore everything that is archived into a scratch container, and prove it with amcheck, all rows, the queries " +
        "in migrations/<database>/checks and the applied migrations; the copy is removed (exit code 5 if the backup is " +
        "bad or an objective is missed, 1 if the drill could not run)",
    )
    .addOption(stackOption())
    .addOption(repositoryOption())
    .option("--due", "do nothing if no drill is due by the schedule in pgroundwork:backups drill; for cron and systemd")
    .option("--random", "restore a random moment of the last 7 days instead; checks run if it has today's migrations")
    .option("--evidence <dir>", "folder that gets a signed file of this run; needs --key")
    .option("--key <file>", "private key of `backup evidence key`, to sign the evidence")
    .addOption(jsonOption())
    .action(action<DrillOptions, []>(drill));
}

async function drill(context: CommandContext, options: DrillOptions): Promise<ExitCode> {
  const { stack = localStack } = options;
  const signing = await signingOf(options);
  const { withDocker } = await import("../../../docker/client.ts");
  const { ownHolder } = await import("../../../docker/scratch-holder.ts");
  const { runDrill } = await import("../../../backup/drill/drill.ts");
  const { appendEvidence } = await import("../../../backup/drill/evidence.ts");
  const { readNewestEvidence, recordNewestEvidence } = await import("../../../backup/drill/newest-evidence.ts");
  const { recordDrill } = await import("../../../backup/drill/record.ts");
  const { summarizeDrill } = await import("../../../backup/drill/run.ts");
  const { backups, dockerHost } = await backupsOf(context, stack, { repository: options.repository });
  const { owner, container, volumes } = backups;
  if (options.due === true && !(await sayIfNotDue(context, stack, { backups, dockerHost }))) return exitCode.done;
  const folders = await databaseFolders(`${context.root}/migrations`);
  const request = {
    checksOf: async (name: string) => (backups.drill?.checks === false ? undefined : folders.get(name)),
    random: options.random,
    holder: await ownHolder(),
    limitSeconds,
    signal: context.signal,
    onStep: (step: string) => showStep(context.out, step),
  };
  const before = signing && (await withDocker(dockerHost, (docker) => readNewestEvidence(docker, container)));
  const result = await withDocker(dockerHost, (docker) => runDrill(docker, backups, request));
  const run = { project: owner.project, stack, repository: volumes.repository, drill: result };
  const newest = signing && appendEvidence(signing.folder, signing.key, run, before);
  const evidence = signing && newest && { folder: signing.folder, ...newest };
  context.out.answer({ stack, ...result, ...(evidence === undefined ? {} : { evidence }) }, () =>
    [describe(result), ...(evidence === undefined ? [] : [describeEvidence(evidence)])].join("\n"),
  );
  await withDocker(dockerHost, async (docker) => {
    if (newest !== undefined) await recordNewestEvidence(docker, container, newest);
    const warn = (text: string) => context.out.warn(text);
    await orWarn(warn, "The drill was not recorded, so it does not count for --due and `up`", () =>
      recordDrill(docker, container, summarizeDrill(result, newest ?? null)),
    );
  });
  return { passed: exitCode.done, failed: exitCode.wrong, "could not run": exitCode.failed }[result.outcome];
}

/** Returns true if a drill is due. Otherwise prints when the next one is. */
async function sayIfNotDue(
  context: CommandContext,
  stack: string,
  { backups, dockerHost }: Pick<BackupsInEngine, "backups" | "dockerHost">,
): Promise<boolean> {
  const { withDocker } = await import("../../../docker/client.ts");
  const { findNotDue } = await import("../../../backup/drill/planned.ts");
  const found = await withDocker(dockerHost, (docker) => findNotDue(docker, backups, new Date()));
  if (found === undefined) return true;
  context.out.answer({ stack, ...found }, () => `No drill is due before ${found.next}. ${found.text}`);
  return false;
}

/** Returns where to write the evidence, and its key. Both are tried before the drill, which takes minutes. */
async function signingOf({ evidence, key }: DrillOptions): Promise<{ folder: string; key: KeyObject } | undefined> {
  if (evidence === undefined && key === undefined) return undefined;
  if (evidence === undefined || key === undefined)
    throw new OperationError("--evidence and --key belong together.", { exitCode: exitCode.usage });
  const { readPrivateKey, requireEvidenceFolder } = await import("../../../backup/drill/evidence.ts");
  const folder = resolve(evidence);
  requireEvidenceFolder(folder);
  return { folder, key: readPrivateKey(resolve(key)) };
}

function describeEvidence({ folder, number, hash }: EvidencePosition & { folder: string }): string {
  return `evidence     run ${number} in ${folder}, ${number}:${hash}`;
}

const colors = { passed: "green", failed: "red", "could not run": "yellow" } as const;

function describe(result: Drill): string {
  const { outcome, reasons, hint, seconds, backup, reached, rtoSeconds, rpoSeconds, databases, findings } = result;
  const { moment, migrations, rowCounts, objectives } = result;
  const unknown = "not known";
  const lines = [`${style(colors[outcome], outcome)} after ${seconds} s`, ...reasons.map((reason) => `  ${reason}`)];
  if (hint !== null) lines.push(`  ${hint}`);
  for (const { objects, samples } of findings)
    lines.push(...samples.map((sample) => `  ${objects[0] ?? ""}: ${JSON.stringify(sample)}`));
  if (backup === null || reached === null) return lines.join("\n");
  return [
    ...lines,
    `backup       ${backup}, recovered to ${reached.lsn} of timeline ${reached.timeline}`,
    ...(moment === null ? [] : [`moment       ${moment}, drawn at random`]),
    `RTO          ${rtoSeconds === null ? unknown : `${rtoSeconds} s`} (start to first query)`,
    ...(moment === null
      ? [`RPO          ${rpoSeconds === null ? unknown : `${rpoSeconds} s`} (age of the last commit)`]
      : []),
    ...objectives.map(describeObjective),
    ...databases.map(describeDatabase),
    `migrations   ${migrations.compared ? `${migrations.count} compared` : `not compared: ${migrations.reason}`}`,
    `row counts   not compared: ${rowCounts.reason}`,
  ].join("\n");
}

function describeObjective({ name, allowedSeconds, missed, measuredSeconds }: ComparedObjective): string {
  const state = missed ? style("red", "missed") : measuredSeconds === null ? "not known" : "met";
  return `objective    ${name} at most ${formatDuration(allowedSeconds)}: ${state}`;
}

function describeDatabase({ database, size, tables, rows, amchecked, checks }: DrilledDatabase): string {
  const parts = [
    bytes(size),
    `${rows.toLocaleString("en-US")} rows in ${tables} tables`,
    `${amchecked} heaps and b-trees`,
    `${checks} checks`,
  ];
  return `${database.padEnd(12)} ${parts.join(", ")}`;
}
