import type { StatementSpan } from "../../sql/statements.ts";
import { covers, type ExceptionComment } from "./exceptions.ts";
import type { LintFinding } from "./finding.ts";
import { type Raw, type ReadFile, rawFinding } from "./raw-findings.ts";

/** Returns true if a comment accepts a finding. */
export function accepts(comment: ExceptionComment, { rule, offset }: Raw, spans: readonly StatementSpan[]): boolean {
  return comment.rules.includes(rule) && covers(comment, offset, spans);
}

/** Reports an exception that has no reason, names no rule, or has no effect. */
export function findInExceptions({ file, spans, raw }: ReadFile, comments: readonly ExceptionComment[]): LintFinding[] {
  const found = (
    comment: ExceptionComment,
    rule: string,
    level: LintFinding["level"],
    message: string,
  ): LintFinding => {
    const help = "Write -- squawk-ignore <rule>: <reason> before the statement.";
    const { offset, ...finding } = rawFinding(file, comment.offset, rule, level, message, help);
    return finding;
  };
  return comments.flatMap((comment): LintFinding[] => {
    const { rules, reason } = comment;
    if (rules.length === 0)
      return [found(comment, "exception-without-rule", "error", "This exception does not name a rule.")];
    if (reason === "")
      return [
        found(comment, "exception-without-reason", "error", `The exception of ${rules.join(", ")} has no reason.`),
      ];
    return rules
      .filter((rule) => !raw.some((each) => each.rule === rule && accepts(comment, each, spans)))
      .map((rule) => found(comment, "unused-exception", "warning", `Nothing here violates ${rule}.`));
  });
}
