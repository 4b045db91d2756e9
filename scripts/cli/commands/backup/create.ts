import { type Command, Option } from "commander";
import type { BackupType } from "../../../backup/info.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import type { EncryptionOptions } from "../../dump-target.ts";
import { jsonOption, repositoryOption, stackOption } from "../../options.ts";
import { refuseInCopy } from "../../refuse-in-copy.ts";
import { showStep } from "../../step.ts";
import { recipientOption } from "../dumps/options.ts";
import { backupsOrEmbedded } from "./stack.ts";
import { bytes } from "./texts.ts";

interface CreateOptions extends EncryptionOptions {
  stack?: string;
  repository?: string;
  type: BackupType;
}

export function registerBackupCreate(backup: Command): void {
  backup
    .command("create")
    .description(
      "make a backup now; if another backup is running, wait for it first; of an embedded server, a physical archive in " +
        "BACKUP_DIR",
    )
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
    .option("--encrypt", "encrypt a physical archive with age (default on protected stacks, and if a key is given)")
    .option("--no-encrypt", "do not encrypt a physical archive")
    .addOption(recipientOption())
    .addOption(jsonOption())
    .action(action<CreateOptions, []>(create));
}

async function create(
  context: CommandContext,
  { stack = localStack, repository, type, ...encryption }: CreateOptions,
): Promise<undefined> {
  const { withDocker } = await import("../../../docker/client.ts");
  const { createBackup } = await import("../../../backup/create.ts");
  await refuseInCopy(context, stack);
  const found = await backupsOrEmbedded(context, stack, { repository });
  if (found === "embedded") {
    const { createEmbedded } = await import("./archive-create.ts");
    return createEmbedded(context, stack, encryption);
  }
  const { backups, dockerHost } = found;
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
