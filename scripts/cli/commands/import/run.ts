import { type Command, InvalidArgumentError } from "commander";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { targetToChange } from "../../target.ts";
import { type ImportOptions, importBy } from "./perform.ts";

export function registerImportSqlite(parent: Command): void {
  addImport(parent, "sqlite", "<file>", "import a SQLite database");
}

export function registerImportJson(parent: Command): void {
  addImport(
    parent,
    "json",
    "<path>",
    "import a JSON file, a file with one JSON value per line, or a folder of such files",
  );
}

function addImport(parent: Command, kind: "sqlite" | "json", argument: string, description: string): void {
  databaseVerb(
    parent,
    `${kind} ${argument}`,
    `${description} (exit code 5 if rows were rejected, or not deleted as asked, and the others imported)`,
  )
    .option("--map <file>", `the map: .ts, .mjs or .json (default: import/${kind} in the database's folder)`)
    .option("--infer", "propose a map from all values, and write it to the file of --map; import nothing")
    .option("--create", "with --infer: also create the tables, by a new migration that is committed, then import")
    .option("--draft", "with --create: only write the map and the migration, as current.sql; import nothing")
    .option("--overwrite", "let --infer replace a map that exists")
    .option("--only <names...>", "import only these collections of the source, or tables of the target")
    .option(
      "--changes",
      "import what the source changed since the last import; rows that both sides changed are rejected",
    )
    .option(
      "--delete-missing",
      "with --changes: delete rows that the source no longer has, if an import inserted them and they were neither changed nor referenced since",
    )
    .option(
      "--max-delete <limit>",
      "with --delete-missing: import nothing if more rows of a table are missing, such as 100 or 80% (default: 50%)",
      rowLimit,
    )
    .option("--keep-source <folder>", "keep a compressed copy of the source there (default: beside the report)")
    .option("--no-keep-source", "keep no copy of the source")
    .option("--dry-run", "read and validate everything, and change nothing")
    .option(
      "--max-rejects <limit>",
      "import the other rows if at most this many were rejected, such as 100 or 5% (default: what the map says)",
      rowLimit,
    )
    .action(action<ImportOptions, [string]>((context, options, path) => importFrom(context, options, kind, path)));
}

function rowLimit(text: string): number | `${number}%` {
  if (/^\d+(\.\d+)?%$/.test(text)) return text as `${number}%`;
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a number of rows, or a share such as 5%.");
}

async function importFrom(context: CommandContext, options: ImportOptions, kind: "sqlite" | "json", path: string) {
  if (options.infer === true) return (await import("./infer.ts")).inferFrom(context, options, kind, path);
  const needed = options.create
    ? "--create"
    : options.draft
      ? "--draft"
      : options.overwrite
        ? "--overwrite"
        : undefined;
  if (needed !== undefined)
    throw new OperationError(`${needed} needs --infer.`, { hint: "Add --infer.", exitCode: exitCode.usage });
  const { readMap } = await import("../../../import/map-file.ts");
  const { openSource } = await import("../../../import/source/open-source.ts");
  const target = await targetToChange(context, options);
  const map = await readMap(options.map, target.folder, kind);
  const source = await openSource(kind, path);
  try {
    return await importBy(context, options, target, source, map);
  } finally {
    await source.close();
  }
}
