import { join } from "node:path";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { readDatabaseFile } from "../../../databases/database-file.ts";
import { isInventedSeed } from "../../../model/real-data.ts";
import type { CommandContext } from "../../context.ts";
import type { Target } from "../../target.ts";
import type { SeedOptions } from "./verb.ts";

/**
 * Returns the seed sets that are named, or else those of the stack.
 *
 * @throws OperationError for a set that the database does not have; (not allowed) for invented data on a protected
 * stack
 */
export async function setsOf(context: CommandContext, options: SeedOptions, target: Target): Promise<string[]> {
  const file = await readDatabaseFile(join(context.root, "migrations"), target.database);
  const sets = options.set ?? target.seedSets;
  if (sets === undefined) {
    throw new OperationError("A connection does not say which seed sets to use.", {
      hint: `Name them with --set: ${file.seedSets.join(", ")}.`,
      exitCode: exitCode.usage,
    });
  }
  const unknown = sets.filter((set) => !file.seedSets.includes(set));
  if (unknown.length > 0) {
    const has = file.seedSets.length === 0 ? "It has none." : `It has: ${file.seedSets.join(", ")}.`;
    throw new OperationError(
      `${target.database} has no seed set ${unknown.map((set) => `"${set}"`).join(", ")}. ${has}`,
      {
        hint: `Add a folder in migrations/${target.database}/seeds to "seedSets" in migrations/${target.database}/database.json.`,
        exitCode: exitCode.usage,
      },
    );
  }
  const invented = sets.filter(isInventedSeed);
  if (target.protected === true && invented.length > 0) {
    throw new OperationError(`${target.label} is protected and refuses the seeds ${invented.join(" and ")}.`, {
      hint: "They contain test data and logins with known passwords. Apply them to another stack.",
      exitCode: exitCode.notAllowed,
    });
  }
  return sets;
}
