import { type Command, Option } from "commander";
import type { BackupType } from "../../backup/info.ts";
import { localStack } from "../../stack/stacks.ts";
import { jsonOption, stackOption } from "../cli/options.ts";
import { ProgressLine } from "../cli/progress-line.ts";
import { action, type Run } from "../cli/run.ts";
import { backupsOf } from "./stack.ts";
import { bytes } from "./texts.ts";

interface CreateOptions {
  stack?: string;
  type: BackupType;
}

export function registerBackupCreate(backup: Command): void {
  backup
    .command("create")
    .description("make a backup now, after any other that is under way")
    .addOption(stackOption())
    .addOption(
      new Option("--type <type>", "full, or what changed since the last full one (diff) or the last one (incr)")
        .choices(["full", "diff", "incr"])
        .default("incr"),
    )
    .addOption(jsonOption())
    .action(action<CreateOptions, []>(create));
}

/** How often the line that says what is going on is written anew, in ms. */
const every = 1_000;

async function create(run: Run, { stack = localStack, type }: CreateOptions): Promise<undefined> {
  const { withDocker } = await import("../../docker/client.ts");
  const { createBackup } = await import("../../backup/create.ts");
  const { backups, dockerHost } = await backupsOf(run, stack);
  const line = new ProgressLine();
  const began = performance.now();
  const show = () => line.show("making a backup", performance.now() - began);
  show();
  const timer = setInterval(show, every);
  try {
    const made = await withDocker(dockerHost, (docker) => createBackup(docker, backups.container, type));
    line.clear();
    const seconds = ((Date.parse(made.finishedAt) - Date.parse(made.startedAt)) / 1_000).toFixed(0);
    run.out.answer(
      { stack, backup: made },
      () =>
        `${made.label} (${made.type}): ${bytes(made.size)}, ${bytes(made.repositoryDelta)} in the repository, in ${seconds} s`,
    );
  } finally {
    clearInterval(timer);
    line.clear();
  }
  return undefined;
}
