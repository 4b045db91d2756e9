import { relative } from "node:path";
import type { Command } from "commander";
import { exitCode } from "../../errors/operation-error.ts";
import { databaseOption, jsonOption } from "../cli/options.ts";
import { action, type Run } from "../cli/run.ts";
import { resolveFolder } from "../cli/target.ts";

interface NewOptions {
  database?: string;
}

export function registerMigrateNew(migrate: Command): void {
  migrate
    .command("new <message>")
    .description("begin a migration: current.sql, and current.down.sql for the way back")
    .addOption(databaseOption())
    .addOption(jsonOption())
    .action(action<NewOptions, [string]>(begin));
}

async function begin(run: Run, { database }: NewOptions, message: string) {
  const { newMigration } = await import("../../migrate/authoring/new.ts");
  const file = relative(run.root, await newMigration(await resolveFolder(run, database), message));
  run.out.answer({ message, file }, () =>
    [
      `${file} is begun, its way back beside it`,
      "`migrate commit` tries both in a scratch database, commits and applies the migration.",
    ].join("\n"),
  );
  return exitCode.done;
}
