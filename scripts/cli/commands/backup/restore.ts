import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { UnloggedRelations } from "../../../backup/restore/contents.ts";
import type { ReportedCommit, RestoredPoint } from "../../../backup/restore/point.ts";
import type { Destination, RequestedPoint } from "../../../backup/restore/request.ts";
import type { Restored } from "../../../backup/restore/restore.ts";
import { parseLsn } from "../../../backup/wal.ts";
import { type ExitCode, exitCode, OperationError } from "../../../core/operation-error.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import { generationOption, jsonOption, repositoryOption, stackOption } from "../../options.ts";
import { outputsOf } from "../../stack.ts";
import { showStep } from "../../step.ts";
import { table } from "../../table.ts";
import { identityOption } from "../dumps/options.ts";
import { noteOnImage } from "./origin-text.ts";
import type { InPlaceCommand } from "./restore-in-place.ts";
import { type BackupsInEngine, backupsOrEmbedded, formerGenerations, insteadOfBackups } from "./stack.ts";
import { bytes } from "./texts.ts";

interface RestoreOptions {
  stack?: string;
  repository?: string;
  generation?: number;
  to?: string;
  toVolume?: string;
  backup?: string;
  latest?: boolean;
  time?: string;
  lsn?: bigint;
  xid?: bigint;
  restorePoint?: string;
  beforeMigration?: string;
  database?: string;
  beforeDeploy?: number | "last";
  exclusive?: boolean;
  timeline?: number;
  only?: string;
  into?: string;
  encrypt?: boolean;
  inPlace?: boolean;
  undo?: boolean;
  finish?: boolean;
  resume?: boolean;
  allowProtected?: boolean;
  allowIncomplete?: boolean;
  identity?: string;
  yes?: boolean;
}

/** Time limit in seconds for the recovery of a restored server, which replays the WAL archived since the backup. */
const recoverySeconds = 6 * 3_600;

export function registerBackupRestore(backup: Command): void {
  backup
    .command("restore")
    .description(
      "restore a copy of the cluster, now or at a point in time, start a server on it and read every row; the stack " +
        "is changed only by --in-place, --only and --undo (exit code 5 if rows may be missing or a database could not be verified)",
    )
    .addOption(stackOption())
    .addOption(repositoryOption())
    .addOption(generationOption())
    .option("--to <dir>", "new or empty directory, which becomes PostgreSQL's data directory")
    .option("--to-volume <name>", "new volume in the stack's Docker engine; it must not exist yet")
    .option("--in-place", "then put it in the place of the stack's own cluster, which is kept until --finish")
    .option(
      "--only <database>",
      "then replace one database of the stack by the copy's, and dump the replaced one first",
    )
    .option("--into <name>", "with --only: create a database of this name, and change no other")
    .option("--no-encrypt", "with --only: do not encrypt the dump of the replaced database")
    .option("--undo", "return to the cluster from before the last restore in place")
    .option("--finish", "remove the clusters that a restore in place or an undo kept")
    .option("--resume", "enable the jobs and subscriptions that a restore in place paused")
    .addOption(identityOption())
    .option("--allow-protected", "change the cluster, or replace a database, of a protected stack")
    .option("--allow-incomplete", "with --in-place and --yes: also put a copy in place in which rows may be missing")
    .option("-y, --yes", "skip the confirmation of --in-place, --only, --undo, --finish or --resume")
    .option("--latest", "restore everything that is archived (default)")
    .option("--backup <label>", "restore the cluster as it was when this backup ended")
    .option("--time <time>", 'restore up to a time with its zone, such as "2026-11-29 05:17:59.014794 UTC"')
    .option("--lsn <lsn>", "restore up to a position in the WAL, such as 0/30A0B28", lsnArgument)
    .option("--xid <number>", "restore up to the end of a transaction", xidArgument)
    .option("--restore-point <name>", "restore up to a named restore point (pg_create_restore_point)")
    .option(
      "--before-migration <number>",
      "restore up to just before a migration was applied the last time, such as 000012; needs --database",
      migrationArgument,
    )
    .option("--before-deploy <number>", "restore up to just before a deploy: its number, or last", deployArgument)
    .option("-d, --database <name>", "the database of --before-migration")
    .option("--exclusive", "stop just before the target: without a commit at that time, the record or the transaction")
    .option("--timeline <number>", "timeline of the target (default: the current one)", timelineArgument)
    .addOption(jsonOption())
    .action(action<RestoreOptions, []>(restore));
}

async function restore(context: CommandContext, options: RestoreOptions): Promise<ExitCode> {
  const { stack = localStack } = options;
  const change = changeOf(options);
  // Wrong usage is reported before anything is read.
  pointOf(options);
  if (change === undefined && options.only === undefined) destinationOf(options);
  const place = await backupsOrEmbedded(context, stack, options);
  if (place === "embedded") return restoreArchiveOf(context, stack, options, change);
  const point = pointOf(await withDeploy(context, stack, options));
  try {
    return await restoreFrom(context, options, { place, change, point });
  } catch (error) {
    throw withGenerations(error, place, options);
  }
}

/** Adds the former generations of the repository to the hint of a target that the current one does not have. */
function withGenerations(error: unknown, place: BackupsInEngine, { generation, backup }: RestoreOptions): unknown {
  if (!(error instanceof OperationError) || error.exitCode !== exitCode.usage || generation !== undefined) return error;
  const former = formerGenerations(place);
  if (former.length === 0) return error;
  const what = backup === undefined ? "Earlier moments" : "Earlier backups";
  const options = former.map(({ formerGeneration }) => `--generation ${formerGeneration}`).join(" or ");
  const hint = `${what} are in former generations of the repository: add ${options}.`;
  return new OperationError(error.message, {
    hint: error.hint === undefined ? hint : `${error.hint} ${hint}`,
    exitCode: error.exitCode,
    cause: error,
  });
}

/** Restores backups of a server in a container. */
async function restoreFrom(
  context: CommandContext,
  options: RestoreOptions,
  target: {
    place: BackupsInEngine;
    change: InPlaceCommand["what"] | undefined;
    point: RequestedPoint | undefined;
  },
): Promise<ExitCode> {
  const { stack = localStack, backup, generation } = options;
  const { place, change, point } = target;
  if (change !== undefined) {
    if (options.repository === "2")
      throw new OperationError("A restore in place reads the first repository.", {
        hint: "Restore the second one with --to-volume.",
        exitCode: exitCode.usage,
      });
    const { runInPlace } = await import("./restore-in-place.ts");
    const { yes = false, allowProtected = false, allowIncomplete = false } = options;
    const given = { stack, what: change, generation, backup, point, recoverySeconds };
    return runInPlace(context, { ...given, yes, allowProtected, allowIncomplete });
  }
  if (options.only !== undefined) {
    const { runOnly } = await import("./restore-only.ts");
    const { only, into, repository, encrypt, yes = false, allowProtected = false } = options;
    const given = { stack, only, into, repository, generation, backup, point, recoverySeconds, yes, allowProtected };
    return runOnly(context, { ...given, ...(encrypt === false && { encrypt }) });
  }
  const to = destinationOf(options);
  const { requireFree, withNote } = await import("../../../backup/restore/begun-restore.ts");
  await requireFree(context.root, stack, to);
  if (to.kind === "directory") {
    const { requireEmptyDirectory, requireWritableDirectory } = await import(
      "../../../backup/restore/extract-directory.ts"
    );
    await requireEmptyDirectory(to.path);
    await requireWritableDirectory(to.path);
  }
  const { withDocker } = await import("../../../docker/client.ts");
  const { restoreBackup } = await import("../../../backup/restore/restore.ts");
  const { backups, dockerHost } = place;
  const onStep = (step: string) => showStep(context.out, step);
  const began = performance.now();
  const request = { to, backup, point, recoverySeconds, signal: context.signal, onStep };
  const restored = await withNote(context.root, stack, { to, dockerHost }, (holder) =>
    withDocker(dockerHost, (docker) => restoreBackup(docker, backups, { ...request, holder })),
  );
  context.out.endStep();
  const seconds = (performance.now() - began) / 1_000;
  for (const warning of warningsOf(restored)) context.out.warn(warning);
  for (const note of noteOnImage(restored)) context.out.note(note);
  context.out.answer({ stack, to, ...restored, seconds: Math.round(seconds) }, () => describe(restored, to, seconds));
  const isProven = restored.incompleteReason === undefined && restored.unproven.length === 0;
  return isProven ? exitCode.done : exitCode.wrong;
}

/** Restores a physical archive of a stack with an embedded server. */
async function restoreArchiveOf(
  context: CommandContext,
  stack: string,
  options: RestoreOptions,
  change: InPlaceCommand["what"] | undefined,
): Promise<ExitCode> {
  const { to, backup, identity, yes = false, allowProtected = false } = options;
  const { latest = false, toVolume, only, exclusive, timeline, beforeDeploy } = options;
  const others = { toVolume, only, exclusive, timeline, beforeDeploy, generation: options.generation };
  if (pointOf(options) !== undefined || Object.values(others).some((value) => value !== undefined))
    throw new OperationError(`The server of stack "${stack}" is embedded: only whole archives can be restored.`, {
      hint: [
        "Use --to DIR or --in-place, with --backup NAME or --latest.",
        `  ${insteadOfBackups(await outputsOf(context, stack, false), stack)}`,
      ].join("\n"),
      exitCode: exitCode.usage,
    });
  const { restoreEmbedded } = await import("./archive-restore.ts");
  const what = to !== undefined ? ({ kind: "directory", path: to } as const) : { kind: change ?? ("restore" as const) };
  return restoreEmbedded(context, { stack, backup: latest ? undefined : backup, what, identity, yes, allowProtected });
}

function warningsOf({ incompleteReason, unproven, unlogged, notArchived }: Restored): string[] {
  const warnings = [
    ...(incompleteReason === undefined ? [] : [`rows may be missing: ${incompleteReason}`]),
    ...unproven.map(
      ({ database, reason }) => `database "${database}" is restored, but could not be verified: ${reason}`,
    ),
    ...unlogged.flatMap(unloggedWarnings),
  ];
  if (notArchived === undefined) return warnings;
  if ("unknown" in notArchived)
    return [
      ...warnings,
      `the restore does not include WAL that was not archived yet; its size is unknown: ${notArchived.unknown}`,
    ];
  if (notArchived.bytes === 0) return warnings;
  return [
    ...warnings,
    `the restore does not include ${bytes(notArchived.bytes)} of WAL that were not archived when it started`,
  ];
}

/**
 * Returns warnings about unlogged relations. They are empty after any restore, so the restore is complete without their
 * rows.
 */
function unloggedWarnings({ database, tables, sequences }: UnloggedRelations): string[] {
  const list = (names: readonly string[]) => names.join(", ");
  return [
    ...(tables.length === 0
      ? []
      : [`database "${database}": unlogged tables are empty after every restore or crash: ${list(tables)}`]),
    ...(sequences.length === 0
      ? []
      : [`database "${database}": unlogged sequences are reset after every restore or crash: ${list(sequences)}`]),
  ];
}

/** Returns the change of the stack that was asked for. undefined: it is not changed. */
function changeOf(options: RestoreOptions): InPlaceCommand["what"] | undefined {
  const { inPlace = false, undo = false, finish = false, resume = false, to, toVolume, only, into } = options;
  if (into !== undefined && only === undefined)
    throw new OperationError("--into needs --only.", { exitCode: exitCode.usage });
  const changes = [
    ...(inPlace ? ["restore" as const] : []),
    ...(undo ? ["undo" as const] : []),
    ...(finish ? ["finish" as const] : []),
    ...(resume ? ["resume" as const] : []),
  ];
  const [change] = changes;
  const isExclusive = changes.length <= 1 && (change === undefined || (to === undefined && toVolume === undefined));
  const isOneOf = only === undefined || (change === undefined && to === undefined && toVolume === undefined);
  if (isExclusive && isOneOf) return change;
  throw new OperationError("--to, --to-volume, --in-place, --only, --undo, --finish and --resume exclude each other.", {
    exitCode: exitCode.usage,
  });
}

function destinationOf({ to, toVolume }: RestoreOptions): Destination {
  if (to !== undefined && toVolume === undefined) return { kind: "directory", path: resolve(to) };
  if (to === undefined && toVolume !== undefined) return { kind: "volume", name: toVolume };
  throw new OperationError("Name the destination with one of --to DIR, --to-volume NAME, --in-place and --only.", {
    exitCode: exitCode.usage,
  });
}

/** Replaces the number of a deploy by the name of its restore point. */
async function withDeploy(context: CommandContext, stack: string, options: RestoreOptions): Promise<RestoreOptions> {
  const { beforeDeploy, ...others } = options;
  if (beforeDeploy === undefined) return options;
  if (others.restorePoint !== undefined) throw severalTargets();
  const { deploysOf } = await import("./deploys.ts");
  const { chooseDeploy } = await import("../../../backup/deploys.ts");
  const { restorePoint, number, at, commit } = chooseDeploy(await deploysOf(context, stack), stack, beforeDeploy);
  context.out.note(
    `deploy ${number} began at ${at}${commit === null ? "" : `, with the commit ${commit.slice(0, 10)}`}`,
  );
  return { ...others, restorePoint };
}

function severalTargets(): OperationError {
  return new OperationError("A restore has one target, and several were given.", {
    hint: "Use one of --latest, --backup, --time, --lsn, --xid, --restore-point, --before-migration and --before-deploy.",
    exitCode: exitCode.usage,
  });
}

/** Returns the point in time that was asked for. undefined for a whole backup or everything. */
function pointOf(options: RestoreOptions): RequestedPoint | undefined {
  const { backup, latest = false, time, lsn, xid, restorePoint, beforeMigration, database } = options;
  const { exclusive = false, timeline } = options;
  if ((beforeMigration === undefined) !== (database === undefined)) {
    throw new OperationError("--before-migration and --database belong together.", {
      hint: "Name both: --before-migration 000012 --database trading",
      exitCode: exitCode.usage,
    });
  }
  const targets: RequestedPoint["target"][] = [
    ...(time === undefined ? [] : [{ kind: "time" as const, text: time }]),
    ...(lsn === undefined ? [] : [{ kind: "lsn" as const, lsn }]),
    ...(xid === undefined ? [] : [{ kind: "xid" as const, xid }]),
    ...(restorePoint === undefined ? [] : [{ kind: "restore-point" as const, name: restorePoint }]),
    ...(beforeMigration === undefined || database === undefined
      ? []
      : [{ kind: "before-migration" as const, number: beforeMigration, database }]),
  ];
  const count = targets.length + (latest ? 1 : 0) + (backup === undefined ? 0 : 1);
  if (count > 1) throw severalTargets();
  const [target] = targets;
  if (target !== undefined) return { target, inclusive: !exclusive, timeline };
  if (!exclusive && timeline === undefined) return undefined;
  throw new OperationError(`${exclusive ? "--exclusive" : "--timeline"} needs a point in time as the target.`, {
    hint: "Add one of --time, --lsn, --xid and --restore-point.",
    exitCode: exitCode.usage,
  });
}

function lsnArgument(text: string): bigint {
  try {
    return parseLsn(text);
  } catch {
    throw new InvalidArgumentError("expected a position such as 0/30A0B28.");
  }
}

function xidArgument(text: string): bigint {
  if (/^\d{1,20}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError("expected the number of a transaction.");
}

function migrationArgument(text: string): string {
  if (/^\d{1,6}$/.test(text)) return text.padStart(6, "0");
  throw new InvalidArgumentError("expected the number of a migration, such as 000012.");
}

function deployArgument(text: string): number | "last" {
  if (text === "last") return text;
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected the number of a deploy, or last.");
}

function timelineArgument(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected the number of a timeline.");
}

function describe(
  { backup, databases, unproven, unlogged, reached, incompleteReason, point }: Restored,
  to: Destination,
  seconds: number,
): string {
  const rows = databases.map(({ database, size, tables }) => [
    database,
    bytes(size),
    String(tables.length),
    tables.reduce((sum, { rows }) => sum + rows, 0).toLocaleString("en"),
  ]);
  const where = to.kind === "directory" ? to.path : `the volume ${to.name}`;
  const goal = point === undefined ? "the end of the archive" : "the target";
  const how = incompleteReason === undefined ? "restored" : `restored, but not to ${goal},`;
  const logged = unlogged.length === 0 ? "" : "; unlogged tables are empty";
  const proof = `every row ${unproven.length === 0 ? "that it has" : "of the databases above"}${logged}`;
  const commit = reached.lastCommitAt === null ? "" : `, last commit ${reached.lastCommitAt}`;
  return [
    table(["database", "size", "tables", "rows read"], rows),
    "",
    `recovered to ${reached.lsn} of timeline ${reached.timeline}${commit}`,
    ...(point === undefined ? [] : describePoint(point, backup)),
    `${how} from ${backup} to ${where} in ${seconds.toFixed(1)} s; a server started on it and read ${proof}`,
  ].join("\n");
}

function describePoint({ lastIncluded, firstNotIncluded, source }: RestoredPoint, backup: string): string[] {
  const commit = ({ xid, at, lsn }: ReportedCommit) => `transaction ${xid}, committed at ${at}, ${lsn}`;
  return [
    `last included       ${lastIncluded === null ? `no commit since the backup ${backup} began` : commit(lastIncluded)}`,
    `first not included  ${firstNotIncluded === null ? "none in the archive" : commit(firstNotIncluded)}`,
    `(read from the archived WAL with ${source})`,
  ];
}
