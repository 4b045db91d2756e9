import type { Command } from "commander";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import { generationOption, jsonOption, repositoryOption, stackOption } from "../../options.ts";
import { refuseInCopy } from "../../refuse-in-copy.ts";
import { showStep } from "../../step.ts";
import { requireTyped } from "../../typed-name.ts";
import { backupsOf, formerGenerations } from "./stack.ts";

interface RemoveOptions {
  stack?: string;
  repository?: string;
  generation?: number;
  yes?: boolean;
}

export function registerBackupRemove(backup: Command): void {
  backup
    .command("remove")
    .description(
      "remove the backups and the WAL archive of a former generation of the repository; the current one must have a backup",
    )
    .addOption(stackOption())
    .addOption(repositoryOption())
    .addOption(generationOption())
    .option("-y, --yes", "skip the confirmation")
    .addOption(jsonOption())
    .action(action<RemoveOptions, []>(remove));
}

async function remove(
  context: CommandContext,
  { stack = localStack, repository, generation, yes = false }: RemoveOptions,
): Promise<undefined> {
  if (generation === undefined)
    throw new OperationError("Name the former generation with --generation NUMBER.", { exitCode: exitCode.usage });
  const { withDocker } = await import("../../../docker/client.ts");
  const { listFormer, removeFormer } = await import("../../../backup/former-generations.ts");
  await refuseInCopy(context, stack);
  const place = await backupsOf(context, stack, { repository, generation });
  const former = formerGenerations(place).find((each) => each.formerGeneration === generation);
  if (former === undefined) {
    throw new OperationError(`Generation ${generation} is the current one. Its backups expire by their retention.`, {
      hint: "Nothing was removed. A higher pgroundwork:backups.generation starts a new one.",
      exitCode: exitCode.usage,
    });
  }
  await withDocker(place.dockerHost, async (docker) => {
    const { backups } = await listFormer(docker, former);
    const labels = backups.map(({ label }) => label);
    const lines = [
      `These backups of stack "${stack}" will be removed, with the WAL archive of generation ${generation}:`,
      ...(labels.length === 0 ? ["  none"] : labels.map((label) => `  ${label}`)),
    ];
    context.out.note(lines.join("\n"));
    if (!yes)
      await requireTyped(context, [`${stack} ${generation}`], `Removing generation ${generation} of the repository`);
    showStep(context.out, "removing the generation");
    await removeFormer(docker, former);
    context.out.endStep();
    context.out.answer({ stack, generation, removed: labels }, () => `removed generation ${generation}`);
  });
  return undefined;
}
