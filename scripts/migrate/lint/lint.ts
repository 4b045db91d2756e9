import type { StatementSpan } from "../../sql/statements.ts";
import { covers, type ExceptionComment, readExceptions, statementAt } from "./exceptions.ts";
import type { Exception, Finding } from "./finding.ts";
import { type Judged, judge, type LintedFile, type Raw, rawFinding } from "./judge.ts";
import { ruleOf } from "./rules.ts";

/** State of a table in the database that the files are for. */
export type TableState = "absent" | "empty" | "rows";

/** Options of {@link lintFiles}. */
export interface LintOptions {
  /** Major version of the server. Default: 17. */
  pgVersion?: number | undefined;
  /**
   * Returns the states of tables before the first of the files, by name (for an index, those of its table). If omitted,
   * everything that the files do not create themselves counts as having rows.
   */
  tableStates?: ((names: readonly string[]) => Promise<ReadonlyMap<string, TableState>>) | undefined;
}

/** Result of {@link lintFiles}. */
export interface LintReport {
  findings: Finding[];
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
  const judged: Judged[] = [];
  for (const file of files) judged.push(await judge(file, options.pgVersion ?? newestKnown));
  const matters = await scopeTest(judged, options);
  const report: LintReport = { findings: [], exceptions: [] };
  for (const each of judged) {
    const comments = readExceptions(each.file.text);
    for (const raw of each.raw) {
      const reason = comments.find((comment) => comment.reason !== "" && speaksOf(comment, raw, each.spans))?.reason;
      const { offset, ...finding } = raw;
      if (reason !== undefined) report.exceptions.push({ ...finding, reason });
      else if (matters(each, raw)) report.findings.push(finding);
    }
    report.findings.push(...commentFindings(each, comments));
  }
  return report;
}

function speaksOf(comment: ExceptionComment, { rule, offset }: Raw, spans: readonly StatementSpan[]): boolean {
  return comment.rules.includes(rule) && covers(comment, offset, spans);
}

/** Reports an exception that has no reason, names no rule, or has no effect. */
function commentFindings({ file, spans, raw }: Judged, comments: readonly ExceptionComment[]): Finding[] {
  const found = (comment: ExceptionComment, rule: string, level: Finding["level"], message: string): Finding => {
    const help = "Write -- squawk-ignore <rule>: <reason> before the statement.";
    const { offset, ...finding } = rawFinding(file, comment.offset, rule, level, message, help);
    return finding;
  };
  return comments.flatMap((comment): Finding[] => {
    const { rules, reason } = comment;
    if (rules.length === 0)
      return [found(comment, "exception-without-rule", "error", "This exception does not name a rule.")];
    if (reason === "")
      return [
        found(comment, "exception-without-reason", "error", `The exception of ${rules.join(", ")} has no reason.`),
      ];
    return rules
      .filter((rule) => !raw.some((each) => each.rule === rule && speaksOf(comment, each, spans)))
      .map((rule) => found(comment, "unused-exception", "warning", `Nothing here violates ${rule}.`));
  });
}

/** Returns a test that tells if a finding matters for this database, by the tables that its statement changes. */
async function scopeTest(judged: readonly Judged[], { tableStates }: LintOptions) {
  const all = judged.flatMap(({ tables }) => tables.flatMap((each) => each ?? []));
  const made = new Set(all.flatMap((each) => each.made));
  const names = [...new Set(all.flatMap(({ changed }) => changed))];
  const states = (await tableStates?.(names)) ?? new Map<string, TableState>();
  const isNew = (name: string) => made.has(name) && (states.get(name) ?? "absent") === "absent";
  return ({ spans, tables }: Judged, { rule, offset }: Raw): boolean => {
    const { scope } = ruleOf(rule);
    const changed = tables[statementAt(spans, offset)]?.changed ?? [];
    if (scope === "anywhere" || changed.length === 0) return true;
    return !changed.every((name) => isNew(name) || (scope === "rows" && states.get(name) === "empty"));
  };
}
