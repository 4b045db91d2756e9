import { type Command, Option } from "commander";
import type { BackupType } from "../../../backup/info.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import { jsonOption, repositoryOption, stackOption } from "../../options.ts";
import { refuseInCopy } from "../../refuse-in-copy.ts";
import { showStep } from "../../step.ts";
import { backupsOf } from "./stack.ts";
import { bytes } from "./texts.ts";

interface CreateOptions {
  stack?: string;
  repository?: string;
  type: BackupType;
}

export function registerBackupCreate(backup: Command): void {
  backup
    .command("create")
    .description("make a backup now; if another backup is running, wait for it first")
    .addOption(stackOption())
    .addOption(repositoryOption())
    .addOption(
      new Option(
        "--type <type>",
        "full, changes since the last full backup (diff), or changes since the last backup (incr)",
      )
        .choices(["full", "diff", "incr"])
        .default("incr"),
    )
    .addOption(jsonOption())
    .action(action<CreateOptions, []>(create));
}

async function create(
  context: CommandContext,
  { stack = localStack, repository, type }: CreateOptions,
): Promise<undefined> {
  const { withDocker } = await import("../../../docker/client.ts");
  const { createBackup } = await import("../../../backup/create.ts");
  await refuseInCopy(context, stack);
  const { backups, dockerHost } = await backupsOf(context, stack, repository);
  showStep(context.out, "making a backup");
  const made = await withDocker(dockerHost, (docker) => createBackup(docker, backups.container, type));
  const seconds = ((Date.parse(made.finishedAt) - Date.parse(made.startedAt)) / 1_000).toFixed(0);
  context.out.answer(
    { stack, backup: made },
    () =>
      `${made.label} (${made.type}): ${bytes(made.size)}, ${bytes(made.repositoryDelta)} in the repository, in ${seconds} s`,
  );
  return undefined;
}
