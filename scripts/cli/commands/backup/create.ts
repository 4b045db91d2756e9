import { type Command, Option } from "commander";
import type { BackupRequester } from "../../../backup/create.ts";
import type { Backup, BackupType } from "../../../backup/info.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import type { EncryptionOptions } from "../../dump-target.ts";
import { jsonOption, repositoryOption, stackOption } from "../../options.ts";
import { refuseInCopy } from "../../refuse-in-copy.ts";
import { showStep } from "../../step.ts";
import { recipientOption } from "../dumps/options.ts";
import { describeImage, describeRequester } from "./origin-text.ts";
import { restoreLine } from "./restore-line.ts";
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
  const requester = await requesterIn(context.root);
  const made = await withDocker(dockerHost, (docker) => createBackup(docker, backups.container, type, requester));
  const restore = restoreLine(found, backups, made.label);
  context.out.answer({ stack, backup: made, restore }, () => describe(made, restore));
  return undefined;
}

/** Returns who runs this command, and the Git commit of the project directory. */
async function requesterIn(root: string): Promise<BackupRequester> {
  const { hostname, userInfo } = await import("node:os");
  const { commitOf } = await import("../../../stack/git-commit.ts");
  return { ...(await commitOf(root)), user: `${userInfo().username}@${hostname()}` };
}

function describe(made: Backup, restore: string): string {
  const { label, type, size, repositoryDelta, startedAt, finishedAt, lsn, origin } = made;
  const seconds = ((Date.parse(finishedAt) - Date.parse(startedAt)) / 1_000).toFixed(0);
  const requester = describeRequester(origin);
  return [
    `${label} (${type}): ${bytes(size)}, ${bytes(repositoryDelta)} in the repository, in ${seconds} s`,
    `time      ${startedAt} to ${finishedAt}`,
    `WAL       ${lsn.from} to ${lsn.to}`,
    `image     ${describeImage(origin)}`,
    ...(requester === undefined ? [] : [`made by   ${requester}`]),
    "to restore it:",
    `  ${restore}`,
  ].join("\n");
}
