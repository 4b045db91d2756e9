import type { Command } from "commander";
import type { TerminatedSession } from "../../../backup/database-swap.ts";
import type { Snapshot, SnapshotPlace } from "../../../backup/snapshot/snapshots.ts";
import { connectionUrl, inDatabase } from "../../../connection/connection.ts";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import { defaultRole } from "../../login.ts";
import { databaseOption, jsonOption, roleOption, stackOption } from "../../options.ts";
import { refuseInCopy } from "../../refuse-in-copy.ts";
import { outputsOf } from "../../stack.ts";
import { showStep } from "../../step.ts";
import { table } from "../../table.ts";
import { resolveTarget, targetToChange } from "../../target.ts";
import { requireTyped } from "../../typed-name.ts";
import { bytes } from "../backup/texts.ts";

interface SnapshotOptions {
  stack?: string;
  database?: string;
  yes?: boolean;
  role?: string;
}

export function registerSnapshot(program: Command): void {
  const snapshot = program
    .command("snapshot")
    .description("copy databases within the server, in seconds; not on protected stacks");
  const verb = (usage: string, description: string) =>
    snapshot.command(usage).description(description).addOption(stackOption()).addOption(databaseOption());
  verb("save <name>", "save the database as it is now; its sessions are terminated")
    .addOption(jsonOption())
    .action(action<SnapshotOptions, [string]>((context, options, name) => save(context, options, name, "snapshot")));
  verb("list", "list the snapshots and branches of the database, also of a former name of it")
    .addOption(jsonOption())
    .action(action<SnapshotOptions, []>(list));
  verb("restore <name>", "replace the database by a snapshot, which stays; what the database has now is lost")
    .option("-y, --yes", "skip the confirmation; sessions of the database are terminated")
    .addOption(jsonOption())
    .action(action<SnapshotOptions, [string]>(restore));
  verb("drop <name>", "drop a snapshot or branch, also of a former name of the database")
    .addOption(jsonOption())
    .action(action<SnapshotOptions, [string]>(drop));
  verb("branch <name>", "copy the database to <database>_<name>, with the same roles, to work on it")
    .addOption(jsonOption())
    .action(action<SnapshotOptions, [string]>((context, options, name) => save(context, options, name, "branch")));
  verb("url <name>", "print the URL of a branch; it contains the password, so keep it secret")
    .addOption(roleOption())
    .action(action<SnapshotOptions, [string]>(url));
}

async function save(
  context: CommandContext,
  options: SnapshotOptions,
  name: string,
  kind: Snapshot["kind"],
): Promise<undefined> {
  const { saveSnapshot } = await import("../../../backup/snapshot/snapshots.ts");
  const { place } = await placeOf(context, options);
  showStep(context.out, `copying ${place.database}`, { announce: false });
  const began = performance.now();
  const made = await saveSnapshot(place, name, kind);
  const seconds = (performance.now() - began) / 1_000;
  context.out.answer({ ...made, seconds }, () =>
    [
      `${kind} ${name} of ${place.database}: ${bytes(made.bytes)} in the database ${made.database}, in ${seconds.toFixed(1)} s`,
      ...ended(made.sessions),
    ].join("\n"),
  );
  return undefined;
}

async function list(context: CommandContext, options: SnapshotOptions): Promise<undefined> {
  const { listSnapshots } = await import("../../../backup/snapshot/snapshots.ts");
  const place = (await formerPlaceOf(context, options)) ?? (await placeOf(context, options, resolveTarget)).place;
  const snapshots = await listSnapshots(place);
  context.out.answer({ database: place.database, snapshots }, () =>
    snapshots.length === 0
      ? `no snapshots of ${place.database}`
      : table(
          ["name", "kind", "made (UTC)", "size", "database"],
          snapshots.map((each) => [each.name, each.kind, each.at.slice(0, 19), bytes(each.bytes), each.database]),
        ),
  );
  return undefined;
}

async function restore(context: CommandContext, options: SnapshotOptions, name: string): Promise<undefined> {
  const { listSnapshots, restoreSnapshot } = await import("../../../backup/snapshot/snapshots.ts");
  const { place, label } = await placeOf(context, options);
  const found = (await listSnapshots(place)).find((each) => each.name === name);
  if (found !== undefined && options.yes !== true) {
    context.out.note(`${label} will be replaced by its snapshot ${name} of ${found.at}. What it has now is lost.`);
    await requireTyped(context, [place.database], `Replacing the database "${place.database}"`);
  }
  showStep(context.out, `restoring ${place.database}`, { announce: false });
  const { snapshot, terminated, sessions } = await restoreSnapshot(place, name);
  context.out.answer({ ...snapshot, terminated, sessions }, () =>
    [`${label} is as in the snapshot ${name} of ${snapshot.at}`, ...ended(sessions)].join("\n"),
  );
  return undefined;
}

async function drop(context: CommandContext, options: SnapshotOptions, name: string): Promise<undefined> {
  const { dropSnapshot } = await import("../../../backup/snapshot/snapshots.ts");
  const former = await formerPlaceOf(context, options);
  if (former !== undefined) await refuseInCopy(context, options.stack ?? localStack);
  const place = former ?? (await placeOf(context, options)).place;
  const dropped = await dropSnapshot(place, name);
  context.out.answer(dropped, () => `dropped the ${dropped.kind} ${name} of ${place.database}`);
  return undefined;
}

async function url(
  context: CommandContext,
  { role = defaultRole, ...options }: SnapshotOptions,
  name: string,
): Promise<undefined> {
  const { listSnapshots } = await import("../../../backup/snapshot/snapshots.ts");
  const { place } = await placeOf(context, options, resolveTarget);
  const branch = (await listSnapshots(place)).find((each) => each.name === name && each.kind === "branch");
  if (branch === undefined) {
    throw new OperationError(`The database "${place.database}" has no branch "${name}".`, {
      hint: "`npm run pgw -- snapshot list` shows the branches.",
      exitCode: exitCode.usage,
    });
  }
  const { connection } = await resolveTarget(context, { ...options, stack: options.stack ?? localStack }, role);
  process.stdout.write(`${connectionUrl(inDatabase(connection, branch.database))}\n`);
  return undefined;
}

/**
 * Finds the snapshots of a database that a stack no longer has, because it was renamed or removed from the settings.
 *
 * @returns undefined if the stack has the database, if none is named, or if the server has no such snapshots
 */
async function formerPlaceOf(context: CommandContext, options: SnapshotOptions): Promise<SnapshotPlace | undefined> {
  const { stack = localStack, database } = options;
  if (database === undefined) return undefined;
  const outputs = await outputsOf(context, stack, true);
  if (Object.hasOwn(outputs.databases, database)) return undefined;
  const { serverConnection } = await import("../../../stack/outputs.ts");
  const { listSnapshots } = await import("../../../backup/snapshot/snapshots.ts");
  const place = { maintenance: serverConnection(outputs), database };
  if ((await listSnapshots(place)).length === 0) return undefined;
  if (outputs.protected) throw protectedError(stack);
  return place;
}

/** Finds the database of a stack, and refuses a protected one. */
async function placeOf(
  context: CommandContext,
  options: SnapshotOptions,
  resolve = targetToChange,
): Promise<{ place: SnapshotPlace; label: string }> {
  const stack = options.stack ?? localStack;
  const { admin, database, label, protected: isProtected } = await resolve(context, { ...options, stack }, "superuser");
  if (isProtected === true) throw protectedError(stack);
  return { place: { maintenance: inDatabase(admin, "postgres"), database }, label };
}

function protectedError(stack: string): OperationError {
  return new OperationError(`Stack "${stack}" is protected, and snapshots terminate its sessions.`, {
    hint: "Use `backup dump`, or `backup restore` if the stack has backups.",
    exitCode: exitCode.notAllowed,
  });
}

function ended(sessions: readonly TerminatedSession[]): string[] {
  if (sessions.length === 0) return [];
  return [
    `${sessions.length === 1 ? "1 session was" : `${sessions.length} sessions were`} terminated:`,
    ...sessions.map(
      ({ pid, role, application, address }) =>
        `  ${pid}: ${application} (${role ?? "a process of the server"}) from ${address}`,
    ),
  ];
}
