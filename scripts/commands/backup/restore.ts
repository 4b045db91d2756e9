import { resolve } from "node:path";
import type { Command } from "commander";
import type { Destination, Restored } from "../../backup/restore.ts";
import { exitCode, OperationError } from "../../errors/operation-error.ts";
import { localStack } from "../../stack/stacks.ts";
import { jsonOption, stackOption } from "../cli/options.ts";
import { ProgressLine } from "../cli/progress-line.ts";
import { action, type Run } from "../cli/run.ts";
import { table } from "../cli/table.ts";
import { backupsOf } from "./stack.ts";
import { bytes } from "./texts.ts";

interface RestoreOptions {
  stack?: string;
  to?: string;
  toVolume?: string;
  backup?: string;
}

/** How long a restored server may recover, in seconds: what was archived since its backup is replayed. */
const recoverySeconds = 6 * 3_600;

export function registerBackupRestore(backup: Command): void {
  backup
    .command("restore")
    .description("restore a cluster beside the stack, start a server on it, read every row; the stack is not touched")
    .addOption(stackOption())
    .option("--to <dir>", "a folder that there is not yet: PostgreSQL's data directory, yours")
    .option("--to-volume <name>", "a volume that there is not yet, in the stack's Docker engine")
    .option("--backup <label>", "as it was when that backup was done (default: as it was last)")
    .addOption(jsonOption())
    .action(action<RestoreOptions, []>(restore));
}

async function restore(run: Run, options: RestoreOptions): Promise<undefined> {
  const { stack = localStack, backup } = options;
  const to = destinationOf(options);
  const { requireEmptyDirectory } = await import("../../backup/extract-directory.ts");
  if (to.kind === "directory") await requireEmptyDirectory(to.path);
  const { withDocker } = await import("../../docker/client.ts");
  const { restoreBackup } = await import("../../backup/restore.ts");
  const { backups, dockerHost } = await backupsOf(run, stack);
  const line = new ProgressLine();
  const onStep = (step: string) => line.show(step, 0);
  const began = performance.now();
  try {
    const request = { to, backup, recoverySeconds, signal: run.signal, onStep };
    const restored = await withDocker(dockerHost, (docker) => restoreBackup(docker, backups, request));
    line.clear();
    const seconds = (performance.now() - began) / 1_000;
    if (restored.complete !== true) run.out.warn(`not everything may be in it: ${restored.complete}`);
    run.out.answer({ stack, to, ...restored, seconds: Math.round(seconds) }, () => describe(restored, to, seconds));
  } finally {
    line.clear();
  }
  return undefined;
}

function destinationOf({ to, toVolume }: RestoreOptions): Destination {
  if (to !== undefined && toVolume === undefined) return { kind: "directory", path: resolve(to) };
  if (to === undefined && toVolume !== undefined) return { kind: "volume", name: toVolume };
  throw new OperationError("Say where to: --to DIR or --to-volume NAME, one of them.", { exitCode: exitCode.usage });
}

function describe({ databases }: Restored, to: Destination, seconds: number): string {
  const rows = databases.map(({ database, size, tables }) => [
    database,
    bytes(size),
    String(tables.length),
    tables.reduce((sum, { rows }) => sum + rows, 0).toLocaleString("en"),
  ]);
  const where = to.kind === "directory" ? to.path : `the volume ${to.name}`;
  return [
    table(["database", "size", "tables", "rows read"], rows),
    "",
    `restored to ${where} in ${seconds.toFixed(1)} s; a server started on it and read every row`,
  ].join("\n");
}
