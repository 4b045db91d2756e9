import { basename, relative, resolve } from "node:path";
import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseOption, jsonOption } from "../../options.ts";
import { resolveFolder } from "../../target.ts";

interface BundleOptions {
  database?: string;
  output?: string;
  check?: boolean;
}

export function registerMigrateBundle(migrate: Command): void {
  migrate
    .command("bundle")
    .description(
      "write the committed migrations as one ES module, for `migrate({ from })` in an application that has no " +
        "migrations folder",
    )
    .addOption(databaseOption())
    .option("-o, --output <file>", "the module to write: .mjs, .js or .ts (default: <database>.migrations.mjs)")
    .option("--check", "write nothing, and fail with exit code 4 if the module is missing or outdated")
    .addOption(jsonOption())
    .action(action<BundleOptions, []>(bundle));
}

async function bundle(context: CommandContext, { database, output, check = false }: BundleOptions) {
  const { bundleMigrations, bundleModule } = await import("../../../migrate/authoring/bundle-files.ts");
  const { readFileIfThere, writeFileAtomically } = await import("../../../core/atomic-file.ts");
  const folder = await resolveFolder(context, database);
  const file = resolve(output ?? `${basename(folder)}.migrations.mjs`);
  const made = await bundleMigrations(folder);
  const text = bundleModule(made);
  const isCurrent = readFileIfThere(file) === text;
  if (!isCurrent && !check) writeFileAtomically(file, text, { mode: 0o644 });
  const shown = relative(process.cwd(), file);
  const files = Object.keys(made.files);
  const state = isCurrent ? "current" : check ? "outdated" : "written";
  context.out.answer({ database: made.database, file: shown, state, files }, () => {
    if (state === "outdated") return `${shown} does not have the migrations of ${made.database} as they are now`;
    return `${shown} ${state === "current" ? "is current" : "written"}: ${files.length} files`;
  });
  return state === "outdated" ? exitCode.pending : exitCode.done;
}
