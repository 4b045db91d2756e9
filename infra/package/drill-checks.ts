import { readdirSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { unlessAbsentSync } from "../../scripts/core/absent.ts";
import { projectFolder } from "../../scripts/core/kit-folder.ts";
import { OperationError } from "../../scripts/core/operation-error.ts";
import { checkFilesAmong, readCheckFile } from "../../scripts/validate/check-files.ts";
import { type DrillChecks, drillCheck } from "../plan/drill.ts";

/**
 * Queries that must return no row, by the name of a database: SQL files, each with one query, or folders of them. Paths
 * are relative to the project directory.
 */
export type DrillChecksArgs = Readonly<Record<string, string | readonly string[]>>;

/** A wrong argument of a component. */
interface Fault {
  path: string[];
  message: string;
}

/** Reads the check files of a drill. Faults are paths without a SQL file, and files that are not one query. */
export function readDrillChecks(given: DrillChecksArgs): { checks: DrillChecks; faults: Fault[] } {
  const root = projectFolder();
  const faults: Fault[] = [];
  const checks = Object.entries(given).map(([database, paths]) => {
    const read = [paths].flat().flatMap((path) => {
      try {
        return filesAt(root, path).map((file) => drillCheck(readCheckFile(root, file)));
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        faults.push({ path: ["checks", database], message: [error.message, error.hint ?? []].flat().join(" ") });
        return [];
      }
    });
    return [database, read] as const;
  });
  return { checks: Object.fromEntries(checks), faults };
}

/**
 * Returns the check files at a path, relative to the project directory.
 *
 * @throws OperationError if there are none
 */
function filesAt(root: string, path: string): string[] {
  const absolute = resolve(root, path);
  const own = relative(root, absolute);
  const found = unlessAbsentSync(() => statSync(absolute));
  if (found === undefined)
    throw new OperationError(`${path} does not exist.`, { hint: "Paths are relative to the project directory." });
  if (!found.isDirectory()) return [own];
  const files = checkFilesAmong(readdirSync(absolute, { withFileTypes: true })).map((name) => join(own, name));
  if (files.length > 0) return files;
  throw new OperationError(`${path} has no SQL file.`, { hint: "Add a check to the folder, or leave it out." });
}
