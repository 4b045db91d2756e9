import { type CommittedMigration, checkedFile, readCommitted } from "../committed.ts";
import { requireContent } from "../content.ts";
import { findMigration } from "../selection.ts";
import { type LintReport, lintFiles } from "./lint.ts";

/**
 * Lints a folder's files without a database. With `since`, only the files after it, for databases in which everything
 * created up to it has rows; otherwise all files, as a new environment runs them.
 *
 * @param since the last file that is applied in every database that matters, by number or name
 * @throws OperationError (exit code usage) for a file that does not exist; (exit code wrong) for files that cannot run
 */
export async function lintCommitted(
  folder: string,
  since: string | undefined,
): Promise<LintReport & { files: number }> {
  const all = await readCommitted(folder);
  const files: readonly CommittedMigration[] =
    since === undefined ? all : all.slice(all.indexOf(findMigration(all, since)) + 1);
  await requireContent(files.map(checkedFile));
  return { files: files.length, ...(await lintFiles(files)) };
}

/**
 * Lints one file as if all tables that earlier files created had rows.
 *
 * @throws OperationError (exit code usage) for a file that does not exist
 */
export async function lintOne(folder: string, filename: string): Promise<LintReport> {
  return lintFiles([findMigration(await readCommitted(folder), filename)]);
}
