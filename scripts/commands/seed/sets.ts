import { join } from "node:path";
import { isInventedSeed } from "../../../infra/plan/real-data.ts";
import { readDatabaseFile } from "../../database/database-file.ts";
import { exitCode, OperationError } from "../../errors/operation-error.ts";
import type { Run } from "../cli/run.ts";
import type { Target } from "../cli/target.ts";
import type { SeedOptions } from "./verb.ts";

/**
 * The sets that are named, else those of the stack.
 *
 * @throws OperationError for one that the database does not have, (not allowed) for invented data in a stack that is protected
 */
export async function setsOf(run: Run, options: SeedOptions, target: Target): Promise<string[]> {
  const file = await readDatabaseFile(join(run.root, "migrations"), target.database);
  const sets = options.set ?? target.seedSets;
  if (sets === undefined) {
    throw new OperationError("Which seed sets is not known where only a connection is given.", {
      remedy: `Say them with --set: ${file.seedSets.join(", ")}.`,
      exitCode: exitCode.usage,
    });
  }
  const unknown = sets.filter((set) => !file.seedSets.includes(set));
  if (unknown.length > 0) {
    throw new OperationError(
      `${target.database} has no seed set ${unknown.map((set) => `"${set}"`).join(", ")}. It has: ${file.seedSets.join(", ")}.`,
      { exitCode: exitCode.usage },
    );
  }
  const invented = sets.filter(isInventedSeed);
  if (target.protected === true && invented.length > 0) {
    throw new OperationError(`${target.label} is protected: it takes no ${invented.join(" and no ")} seeds.`, {
      remedy: "They hold invented data, and logins whose passwords are known. Apply them to another stack.",
      exitCode: exitCode.notAllowed,
    });
  }
  return sets;
}
