import { resolve } from "node:path";
import type { Command } from "commander";
import type { UnloggedRelations } from "../../../backup/restore/contents.ts";
import type { Destination } from "../../../backup/restore/request.ts";
import type { Restored } from "../../../backup/restore/restore.ts";
import { type ExitCode, exitCode, OperationError } from "../../../core/operation-error.ts";
import { localStack } from "../../../stack/stacks.ts";
import { jsonOption, stackOption } from "../../options.ts";
import { action, type Run } from "../../run.ts";
import { showStep } from "../../step.ts";
import { table } from "../../table.ts";
import { backupsOf } from "./stack.ts";
import { bytes } from "./texts.ts";

interface RestoreOptions {
  stack?: string;
  to?: string;
  toVolume?: string;
  backup?: string;
}

/** Time limit in seconds for the recovery of a restored server, which replays the WAL archived since the backup. */
const recoverySeconds = 6 * 3_600;

export function registerBackupRestore(backup: Command): void {
  backup
    .command("restore")
    .description(
      "restore a copy of the cluster, start a server on it and read every row; the stack is not changed (exit " +
        "code 5 if rows may be missing or a database could not be verified)",
    )
    .addOption(stackOption())
    .option("--to <dir>", "new or empty directory, which becomes PostgreSQL's data directory")
    .option("--to-volume <name>", "new volume in the stack's Docker engine; it must not exist yet")
    .option(
      "--backup <label>",
      "restore the cluster as it was when this backup ended (default: everything that is archived)",
    )
    .addOption(jsonOption())
    .action(action<RestoreOptions, []>(restore));
}

async function restore(run: Run, options: RestoreOptions): Promise<ExitCode> {
  const { stack = localStack, backup } = options;
  const to = destinationOf(options);
  const { requireFree, withNote } = await import("../../../backup/restore/begun-restore.ts");
  await requireFree(run.root, stack, to);
  const { requireEmptyDirectory } = await import("../../../backup/restore/extract-directory.ts");
  if (to.kind === "directory") await requireEmptyDirectory(to.path);
  const { withDocker } = await import("../../../docker/client.ts");
  const { restoreBackup } = await import("../../../backup/restore/restore.ts");
  const { backups, dockerHost } = await backupsOf(run, stack);
  const onStep = (step: string) => showStep(run.out, step);
  const began = performance.now();
  const request = { to, backup, recoverySeconds, signal: run.signal, onStep };
  const restored = await withNote(run.root, stack, { to, dockerHost }, (holder) =>
    withDocker(dockerHost, (docker) => restoreBackup(docker, backups, { ...request, holder })),
  );
  run.out.endStep();
  const seconds = (performance.now() - began) / 1_000;
  for (const warning of warningsOf(restored)) run.out.warn(warning);
  run.out.answer({ stack, to, ...restored, seconds: Math.round(seconds) }, () => describe(restored, to, seconds));
  const isProven = restored.incompleteReason === undefined && restored.unproven.length === 0;
  return isProven ? exitCode.done : exitCode.wrong;
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

function destinationOf({ to, toVolume }: RestoreOptions): Destination {
  if (to !== undefined && toVolume === undefined) return { kind: "directory", path: resolve(to) };
  if (to === undefined && toVolume !== undefined) return { kind: "volume", name: toVolume };
  throw new OperationError("Name the destination with either --to DIR or --to-volume NAME.", {
    exitCode: exitCode.usage,
  });
}

function describe(
  { backup, databases, unproven, unlogged, reached, incompleteReason }: Restored,
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
  const how = incompleteReason === undefined ? "restored" : "restored, but not to the end of the archive,";
  const logged = unlogged.length === 0 ? "" : "; unlogged tables are empty";
  const proof = `every row ${unproven.length === 0 ? "that it has" : "of the databases above"}${logged}`;
  const commit = reached.lastCommitAt === null ? "" : `, last commit ${reached.lastCommitAt}`;
  return [
    table(["database", "size", "tables", "rows read"], rows),
    "",
    `recovered to ${reached.lsn} of timeline ${reached.timeline}${commit}`,
    `${how} from ${backup} to ${where} in ${seconds.toFixed(1)} s; a server started on it and read ${proof}`,
  ].join("\n");
}
