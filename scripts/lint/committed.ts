import { type CommittedMigration, readCommitted } from "../migrate/committed.ts";
import { findMigration } from "../migrate/selection.ts";
import { type LintReport, lintFiles } from "./lint.ts";

/**
 * Judges a folder's files without a database: those behind `since`, where everything made up to it has rows, or all of them, as a new environment
 * runs them.
 *
 * @param since a file that is known to be applied wherever it counts, by number or name
 * @throws OperationError (wrong usage) for a file that is not there
 */
export async function lintCommitted(
  folder: string,
  since: string | undefined,
): Promise<LintReport & { files: number }> {
  const all = await readCommitted(folder);
  const files: readonly CommittedMigration[] =
    since === undefined ? all : all.slice(all.indexOf(findMigration(all, since)) + 1);
  return { files: files.length, ...(await lintFiles(files)) };
}

/**
 * Judges one file as those will meet it whose tables have rows by then.
 * @throws OperationError (wrong usage) for a file that is not there
 */
export async function lintOne(folder: string, filename: string): Promise<LintReport> {
  return lintFiles([findMigration(await readCommitted(folder), filename)]);
}
