import type { FindingLevel } from "../../core/finding.ts";

export type LintLevel = Exclude<FindingLevel, "info">;

/** Something in a committed file that is unsafe on a database in use, or probably a mistake. */
export interface LintFinding {
  /** `000012-name.sql` */
  file: string;
  /** Both start at 1. */
  line: number;
  column: number;
  /** Name of squawk's rule, or of one of the kit's own. */
  rule: string;
  /** An error keeps a file from running on a protected stack; a warning does not. */
  level: LintLevel;
  message: string;
  help: string | null;
}

/** A finding that a comment in the file accepts. */
export interface Exception extends LintFinding {
  reason: string;
}

/** Number of further lines of a finding that are listed. The rest is only counted. */
const linesNamed = 8;

/**
 * Formats findings for printing. A finding that occurs in several places of a file is printed once, with the other
 * lines.
 */
export function describeFindings(findings: readonly LintFinding[]): string[] {
  const kinds = Map.groupBy(findings, ({ file, rule, level, message }) => [file, rule, level, message].join("\n"));
  return [...kinds.values()].flatMap(([first, ...others]) => (first === undefined ? [] : describeKind(first, others)));
}

function describeKind(
  { file, line, column, rule, level, message, help }: LintFinding,
  others: readonly LintFinding[],
): string[] {
  const lines = [`${file}:${line}:${column}: ${level} ${rule}: ${message}`];
  if (help !== null) lines.push(`    ${help}`);
  if (others.length > 0) {
    const named = others.slice(0, linesNamed).map((other) => other.line);
    const more = others.length > named.length ? ` and ${others.length - named.length} more` : "";
    lines.push(`    also in ${others.length === 1 ? "line" : "lines"} ${named.join(", ")}${more}`);
  }
  return lines;
}
