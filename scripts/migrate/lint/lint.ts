import { accepts, findInExceptions } from "./exception-findings.ts";
import { readExceptions } from "./exceptions.ts";
import type { Exception, LintFinding } from "./finding.ts";
import { findRaw, type LintedFile, type ReadFile } from "./raw-findings.ts";
import { scopeTest, type TableStates } from "./scope.ts";

/** Options of {@link lintFiles}. */
export interface LintOptions {
  /** Major version of the server. Default: 17. */
  pgVersion?: number | undefined;
  /**
   * Returns the states of tables before the first of the files, by name (for an index, those of its table). If omitted,
   * everything that the files do not create themselves counts as having rows.
   */
  tableStates?: TableStates | undefined;
}

/** Result of {@link lintFiles}. */
export interface LintReport {
  findings: LintFinding[];
  /** Findings that a comment with a reason accepts. */
  exceptions: Exception[];
}

const newestKnown = 17;

/**
 * Lints committed files that would run one after the other. Rules about rows ignore empty tables and those that the
 * files create. Rules about clients ignore only what the files create.
 *
 * @throws OperationError if squawk cannot be run
 */
export async function lintFiles(files: readonly LintedFile[], options: LintOptions = {}): Promise<LintReport> {
  const read: ReadFile[] = [];
  for (const file of files) read.push(await findRaw(file, options.pgVersion ?? newestKnown));
  const matters = await scopeTest(read, options.tableStates);
  const report: LintReport = { findings: [], exceptions: [] };
  for (const each of read) {
    const comments = readExceptions(each.file.text);
    for (const raw of each.raw) {
      const reason = comments.find((comment) => comment.reason !== "" && accepts(comment, raw, each.spans))?.reason;
      const { offset, ...finding } = raw;
      if (reason !== undefined) report.exceptions.push({ ...finding, reason });
      else if (matters(each, raw)) report.findings.push(finding);
    }
    report.findings.push(...findInExceptions(each, comments));
  }
  return report;
}
