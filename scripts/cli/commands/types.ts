import type { Command } from "commander";
import { withClient } from "../../connection/client.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import type { TypesFile } from "../../types/types-file.ts";
import { action, type CommandContext } from "../context.ts";
import { databaseOption, jsonOption, stackOption, urlOption } from "../options.ts";
import { resolveTargets, type Target, type TargetOptions } from "../target.ts";
import { lineToType } from "../typed-line.ts";

interface TypesOptions extends TargetOptions {
  check?: boolean;
}

export function registerTypes(program: Command): void {
  program
    .command("types")
    .description("write the types of each database's tables and views for Kysely to migrations/<database>/types.ts")
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .option("--check", "write nothing; exit with code 5 if a file does not match its database")
    .action(action<TypesOptions, []>(types));
}

async function types(context: CommandContext, options: TypesOptions) {
  const { writeTypes } = await import("../../types/types-file.ts");
  const found: { database: string; label: string; result: TypesFile }[] = [];
  // All are generated before the first is written.
  for (const target of await resolveTargets(context, options))
    found.push({ database: target.database, label: target.label, result: await generated(target) });
  const outdated = found.filter(({ result }) => result.state !== "current");
  if (!options.check) for (const { result } of outdated) writeTypes(result);
  const databases = found.map(({ database, result: { file, state, line } }) => ({ database, file, state, line }));
  context.out.answer({ databases, written: !options.check && outdated.length > 0 }, () =>
    found.map(({ label, result }) => `${label}: ${described(result, options.check ?? false)}`).join("\n"),
  );
  if (!options.check || outdated.length === 0) return exitCode.done;
  context.out.note(`Write them with: ${lineToType(["types"])}`);
  return exitCode.wrong;
}

/** Generates the types of a database that has all of its migrations, and no others. */
async function generated({ connection, folder, label }: Target): Promise<TypesFile> {
  const { verifyMigrations } = await import("../../migrate/verify.ts");
  const { compareTypes } = await import("../../types/types-file.ts");
  const { generateTypes } = await import("../../types/generate.ts");
  const { pending } = await verifyMigrations(connection, folder);
  if (pending.length > 0)
    throw new OperationError(`${label} has pending migrations, so its types are not those of the files.`, {
      hint: `Apply them first: ${lineToType(["migrate", "up"])}`,
    });
  return compareTypes(folder, await withClient(connection, generateTypes));
}

function described({ file, state, line }: TypesFile, check: boolean): string {
  if (state === "current") return `${file} matches`;
  if (!check) return `${file} is written`;
  return state === "absent" ? `${file} does not exist` : `${file} does not match the database from line ${line} on`;
}
