import { relative } from "node:path";
import type { Command } from "commander";
import { withClient } from "../../../connection/client.ts";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseOption, jsonOption, stackOption, urlOption } from "../../options.ts";
import { resolveTarget, type TargetOptions } from "../../target.ts";
import { lineToType } from "../../typed-line.ts";

export function registerMigrateCacheTriggers(migrate: Command): void {
  migrate
    .command("cache-triggers <tables...>")
    .description("write the draft of a migration whose triggers report changes of these tables to result caches")
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(action<TargetOptions, [string[]]>(draft));
}

async function draft(context: CommandContext, options: TargetOptions, tables: string[]) {
  const { draftCacheTriggers } = await import("../../../migrate/authoring/cache-triggers.ts");
  const { verifyMigrations } = await import("../../../migrate/verify.ts");
  const { connection, folder, label } = await resolveTarget(context, options);
  const { pending } = await verifyMigrations(connection, folder);
  if (pending.length > 0)
    throw new OperationError(`${label} has pending migrations, so its tables are not those of the files.`, {
      hint: `Apply them first: ${lineToType(["migrate", "up"])}`,
    });
  const written = await withClient(connection, (client) => draftCacheTriggers(client, folder, tables));
  const file = relative(context.root, written.path);
  context.out.answer({ file, tables: written.tables, present: written.present }, () =>
    [
      ...(written.present.length > 0 ? [`already reported: ${written.present.join(", ")}`] : []),
      written.tables.length === 0
        ? `${label}: nothing to write`
        : `wrote ${file} and its down migration: ${written.tables.join(", ")}`,
    ].join("\n"),
  );
  if (written.tables.length > 0) context.out.note(`Test and commit it with: ${lineToType(["migrate", "commit"])}`);
  return exitCode.done;
}
