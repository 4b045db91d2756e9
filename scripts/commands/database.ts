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
  database
    .command("remove <name...>")
    .description("take databases out of the clone: folder, tests, settings; servers that have them keep them")
    .addOption(jsonOption())
    .action(action<object, [string[]]>(remove));
}

async function create(run: Run, { settings }: NewOptions, name: string): Promise<undefined> {
  const { newDatabase } = await import("../database/new-database.ts");
  const files = await newDatabase(join(run.root, "migrations"), name, join(run.root, ".pgroundwork"));
  const { declareDatabase } = await import("../stack/databases-setting.ts");
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

async function remove(run: Run, _options: object, databases: string[]): Promise<undefined> {
  const { removeDatabase } = await import("../database/remove-database.ts");
  const { undeclareDatabase } = await import("../stack/databases-setting.ts");
  const removals: { database: string; removed: string[]; kept: string[]; settings: string[] }[] = [];
  for (const database of databases) {
    const files = await removeDatabase(run.root, database);
    removals.push({ database, ...files, settings: await undeclareDatabase(run.root, database) });
  }
  run.out.answer({ removals }, () =>
    removals
      .flatMap(({ database, removed, kept, settings }) => [
        `${database} is removed: ${[...removed, ...settings.map((file) => `its name in ${file}`)].join(", ")}`,
        ...kept.map((path) => `  ${path} stays: it holds files that Git does not know`),
      ])
      .concat("A server that has them keeps them, with every row: `pgw destroy --erase NAME` is what loses data.")
      .join("\n"),
  );
  return undefined;
}
