import type { Command } from "commander";
import type { BackupLocation } from "../../../backup/location.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import { jsonOption, stackOption } from "../../options.ts";
import { backupsOf } from "./stack.ts";

export function registerBackupLocation(backup: Command): void {
  backup
    .command("location")
    .description("print where the backups are, for createBackup and other functions of `pgroundwork`; it has no secret")
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(action<{ stack?: string }, []>(location));
}

async function location(context: CommandContext, { stack = localStack }: { stack?: string }): Promise<undefined> {
  const { backups, dockerHost } = await backupsOf(context, stack);
  const found: BackupLocation = { ...(dockerHost === undefined ? {} : { dockerHost }), ...backups };
  context.out.answer(found, () => JSON.stringify(found, null, 2));
  return undefined;
}
