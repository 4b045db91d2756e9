import type { Snapshot } from "../../../backup/snapshot/snapshots.ts";
import { inDatabase } from "../../../connection/connection.ts";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { restoreInPlaceCommand } from "../../../model/command-lines.ts";
import { localStack } from "../../../stack/local-stack.ts";
import type { CommandContext } from "../../context.ts";
import { dumpSettings, dumpTargetOf, recipientsFor, restoreCommand } from "../../dump-target.ts";
import { showStep } from "../../step.ts";
import type { Target, TargetOptions } from "../../target.ts";
import { type BackupsInEngine, findBackups } from "../backup/stack.ts";

/** State of a database before its migrations are reverted, and the command that returns to it. */
export interface BackupBeforeRevert {
  kind: "restore-point" | "snapshot" | "dump";
  /** Name of the restore point or snapshot, or id of the dump. */
  name: string;
  /** Command to type in the project directory. */
  restore: string;
}

/** Options of {@link backUpBeforeRevert}. */
export interface BackupOptions extends TargetOptions {
  /** False: a dump is not encrypted. */
  encrypt: boolean;
}

interface Attempt {
  what: string;
  make: () => Promise<BackupBeforeRevert>;
}

/** Beginning of the names of restore points and snapshots. */
const prefix = "before_down_";

/**
 * Makes it possible to return to a database's state before its migrations are reverted: with a restore point if the
 * stack has backups, otherwise with a snapshot on stacks that are not protected, otherwise with a dump. Sessions of the
 * database are not terminated.
 *
 * @throws OperationError (not allowed) with every reason, if nothing could be made
 */
export async function backUpBeforeRevert(
  context: CommandContext,
  target: Target,
  options: BackupOptions,
): Promise<BackupBeforeRevert> {
  const name = `${prefix}${new Date()
    .toISOString()
    .replaceAll(/\D/g, "")
    .replace(/^\d{8}/, "$&_")}`;
  const reasons: string[] = [];
  for (const { what, make } of await attemptsFor(context, target, options, name)) {
    try {
      const made = await make();
      context.out.endStep();
      for (const reason of reasons) context.out.note(reason);
      context.out.note(describe(made, target));
      return made;
    } catch (error) {
      context.signal.throwIfAborted();
      const known = error instanceof OperationError || (error instanceof Error && "severity" in error);
      if (!known) throw error;
      const hint = error instanceof OperationError && error.hint !== undefined ? ` ${error.hint}` : "";
      reasons.push(`${what} could not be made: ${error.message}${hint}`);
    }
  }
  context.out.endStep();
  throw new OperationError(
    [`${target.label} could not be backed up before the revert:`, ...reasons.map((each) => `- ${each}`)].join("\n"),
    {
      hint: "Nothing was reverted. Remove one of these reasons, or add --no-backup to revert without a backup.",
      exitCode: exitCode.notAllowed,
    },
  );
}

async function attemptsFor(
  context: CommandContext,
  target: Target,
  options: BackupOptions,
  name: string,
): Promise<Attempt[]> {
  const dump = { what: "A dump", make: () => makeDump(context, target, options) };
  // Of a connection, neither the server's backups are known nor a command that restores a snapshot.
  if (target.protected === undefined) return [dump];
  const stack = options.stack ?? localStack;
  // A snapshot of a protected stack could not be restored.
  const others = target.protected
    ? [dump]
    : [{ what: "A snapshot", make: () => makeSnapshot(context, target, stack, name) }, dump];
  const found = target.docker.imageOf === undefined ? undefined : await findBackups(context, stack);
  if (found === undefined || !("backups" in found)) return others;
  const point = { what: "A restore point", make: () => makeRestorePoint(context, target, stack, found, name) };
  return [point, ...others];
}

async function makeRestorePoint(
  context: CommandContext,
  target: Target,
  stack: string,
  { backups, dockerHost }: BackupsInEngine,
  name: string,
): Promise<BackupBeforeRevert> {
  const { withDocker } = await import("../../../docker/client.ts");
  const { createRestorePoint } = await import("../../../backup/restore-point.ts");
  showStep(context.out, "making a restore point", { announce: false });
  await withDocker(dockerHost, (docker) => createRestorePoint(docker, backups, name));
  const restore = restoreInPlaceCommand(stack, `--restore-point ${name}`, target.protected === true);
  return { kind: "restore-point", name, restore };
}

async function makeSnapshot(
  context: CommandContext,
  { admin, database }: Target,
  stack: string,
  name: string,
): Promise<BackupBeforeRevert> {
  const { dropSnapshot, listSnapshots, saveSnapshot } = await import("../../../backup/snapshot/snapshots.ts");
  const place = { maintenance: inDatabase(admin, "postgres"), database };
  showStep(context.out, "making a snapshot", { announce: false });
  await saveSnapshot(place, name, "snapshot", "keep");
  const { retentionDays } = dumpSettings(context);
  const expired = expiredSnapshots(await listSnapshots(place), retentionDays, new Date());
  for (const each of expired) await dropSnapshot(place, each.name);
  if (expired.length > 0)
    context.out.note(
      `dropped snapshots of earlier reverts, older than ${retentionDays} days: ${expired.map((each) => each.name).join(", ")}`,
    );
  const restore = `npm run pgw -- snapshot restore ${name} --database ${database}${stackOption(stack)}`;
  return { kind: "snapshot", name, restore };
}

/** Returns the snapshots of earlier reverts that are older than the retention time. The newest is never among them. */
export function expiredSnapshots(snapshots: readonly Snapshot[], retentionDays: number, now: Date): Snapshot[] {
  const oldest = new Date(now.getTime() - retentionDays * 86_400_000).toISOString();
  return snapshots
    .filter(({ kind, name }) => kind === "snapshot" && name.startsWith(prefix))
    .sort((a, b) => (a.at < b.at ? 1 : -1))
    .slice(1)
    .filter(({ at }) => at < oldest);
}

async function makeDump(context: CommandContext, target: Target, options: BackupOptions): Promise<BackupBeforeRevert> {
  const { createDump } = await import("../../../backup/dump/create.ts");
  const { applyRetention } = await import("../../../backup/dump/store.ts");
  const { folder, retentionDays, compressed } = dumpSettings(context);
  const dumped = dumpTargetOf(context, target, options);
  const made = await createDump(dumped.source, {
    folder,
    kind: "custom",
    scope: "full",
    globals: false,
    compressed,
    recipients: recipientsFor(context, options.encrypt === false ? { encrypt: false } : {}, dumped.isProtected),
    reason: "before-revert",
    jobs: 1,
    env: context.env,
    signal: context.signal,
    onStep: (step) => showStep(context.out, step),
    restoreCommand: (id) => restoreCommand(context, dumped, id),
  });
  const removed = await applyRetention(folder, made, { days: retentionDays }, new Date());
  if (removed.length > 0) context.out.note(`removed dumps, older than ${retentionDays} days: ${removed.join(", ")}`);
  return { kind: "dump", name: made.id, restore: made.restore };
}

function describe({ kind, name, restore }: BackupBeforeRevert, { label }: Target): string {
  const what = { "restore-point": "restore point", snapshot: "snapshot", dump: "dump" }[kind];
  const whole = kind === "restore-point" ? "the whole server, with all its databases," : label;
  return [`made the ${what} ${name}; to return ${whole} to it:`, `  ${restore}`].join("\n");
}

function stackOption(stack: string): string {
  return stack === localStack ? "" : ` --stack ${stack}`;
}
