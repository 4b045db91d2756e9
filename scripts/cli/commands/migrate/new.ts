import { relative } from "node:path";
import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseOption, jsonOption } from "../../options.ts";
import { resolveFolder } from "../../target.ts";

interface NewOptions {
  database?: string;
}

export function registerMigrateNew(migrate: Command): void {
  migrate
    .command("new <message>")
    .description("start a migration: current.sql, and current.down.sql for its down migration")
    .addOption(databaseOption())
    .addOption(jsonOption())
    .action(action<NewOptions, [string]>(begin));
}

async function begin(context: CommandContext, { database }: NewOptions, message: string) {
  const { newMigration } = await import("../../../migrate/authoring/new.ts");
  const file = relative(context.root, await newMigration(await resolveFolder(context, database), message));
  context.out.answer({ message, file }, () =>
    [
      `created ${file} and its down migration`,
      "`migrate commit` tests both in a scratch cluster, then commits and applies the migration.",
    ].join("\n"),
  );
  return exitCode.done;
}
