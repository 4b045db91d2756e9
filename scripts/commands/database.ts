import { join } from "node:path";
import type { Command } from "commander";
import { jsonOption } from "./cli/options.ts";
import { action, type Run } from "./cli/run.ts";

interface NewOptions {
  settings: boolean;
}

export function registerDatabase(program: Command): void {
  const database = program.command("database").description("the databases that the kit knows");
  database
    .command("new <name>")
    .description("make a folder that works, to start a database from, and add it to the local stack's settings")
    .option("--no-settings", "leave the settings as they are")
    .addOption(jsonOption())
    .action(action<NewOptions, [string]>(create));
}

async function create(run: Run, { settings }: NewOptions, name: string): Promise<undefined> {
  const { newDatabase } = await import("../database/new-database.ts");
  const files = await newDatabase(join(run.root, "migrations"), name, join(run.root, ".pgroundwork"));
  const { declareDatabase } = await import("../stack/declare-database.ts");
  const declared = settings ? await declareDatabase(run.root, name) : undefined;
  run.out.answer({ database: name, files: files.map((file) => `migrations/${name}/${file}`), declared }, () =>
    [
      `migrations/${name} is made: ${files.join(", ")}`,
      declared === undefined
        ? `Not in the settings yet: add ${name} to pgroundwork:databases.`
        : `${declared.file} ${declared.added ? "has it in its databases now" : "had it in its databases already"}.`,
      "",
      "next",
      "  npm run up                             the database, empty, with its roles",
      `  npm run pgw -- psql -d ${name}${" ".repeat(Math.max(1, 16 - name.length))}psql as its application's role`,
      "  migrations/README.md                   how its first migration is written and committed",
    ].join("\n"),
  );
  return undefined;
}
