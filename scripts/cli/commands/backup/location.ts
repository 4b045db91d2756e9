import type { Command } from "commander";
import type { BackupLocation } from "../../../backup/location.ts";
import { localStack } from "../../../stack/stacks.ts";
import { jsonOption, stackOption } from "../../options.ts";
import { action, type Run } from "../../run.ts";
import { backupsOf } from "./stack.ts";

export function registerBackupLocation(backup: Command): void {
  backup
    .command("location")
    .description("print where the backups are, for createBackup and other functions of `pgroundwork`; it has no secret")
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(action<{ stack?: string }, []>(location));
}

async function location(run: Run, { stack = localStack }: { stack?: string }): Promise<undefined> {
  const { backups, dockerHost } = await backupsOf(run, stack);
  const found: BackupLocation = { ...(dockerHost === undefined ? {} : { dockerHost }), ...backups };
  run.out.answer(found, () => JSON.stringify(found, null, 2));
  return undefined;
}
