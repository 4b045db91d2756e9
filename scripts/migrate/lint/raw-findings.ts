import { type StatementSpan, statementSpans } from "../../sql/statements.ts";
import { statementAt, withoutExceptions } from "./exceptions.ts";
import type { LintFinding } from "./finding.ts";
import { ruleOf } from "./rules.ts";
import { runSquawk, type SquawkViolation } from "./squawk.ts";
import { type StatementTables, statementTables, syntaxFault } from "./statement-tables.ts";

/** A committed file to lint. */
export interface LintedFile {
  filename: string;
  /** The whole file. */
  text: string;
  /** Offset of the body in `text`. */
  bodyStart: number;
  /** True if the file runs in a transaction. */
  transactional: boolean;
}

/** A finding before scope and exceptions are applied. */
export interface Raw extends LintFinding {
  /** Offset from the beginning of the file, in UTF-16 units. */
  offset: number;
}

/** A file with all its raw findings. */
export interface ReadFile {
  file: LintedFile;
  spans: StatementSpan[];
  raw: Raw[];
  /** Tables of each statement; undefined for one that cannot be parsed. */
  tables: (StatementTables | undefined)[];
}

/**
 * Collects all that squawk reports about a file.
 *
 * @throws OperationError if squawk cannot be run
 */
export async function findRaw(file: LintedFile, pgVersion: number): Promise<ReadFile> {
  const text = withoutExceptions(withoutPlaceholders(file.text));
  const spans = statementSpans(text.slice(file.bodyStart)).map(({ start, end }) => {
    return { start: file.bodyStart + start, end: file.bodyStart + end };
  });
  const statements = spans.map(({ start, end }) => text.slice(start, end));
  const tables = await Promise.all(statements.map(statementTables));
  const { violations, unread } = await askReadable(text, spans, { pgVersion, transactional: file.transactional });
  const raw = saidOnce(violations).map(({ rule, offset, message, help }) =>
    rawFinding(file, offset, rule, ruleOf(rule).level, message, help),
  );
  for (const { index, said } of unread)
    raw.push(await unreadFinding(file, spans[index]?.start ?? file.bodyStart, statements[index] ?? "", said));
  return { file, spans, raw: raw.toSorted((a, b) => a.offset - b.offset), tables };
}

/**
 * Replaces placeholders of graphile-migrate (`:DATABASE_NAME`) by names of the same length, which every parser accepts.
 */
function withoutPlaceholders(text: string): string {
  return text.replace(/(?<![:\w]):(?=[A-Z][A-Z0-9_]+\b)/g, "_");
}

interface Unread {
  /** Index of the statement. */
  index: number;
  /** squawk's message about the syntax. */
  said: string;
}

/**
 * Runs squawk without the statements that it cannot parse. squawk reports nothing about a text that it cannot parse to
 * the end. Such statements are blanked one by one until it parses the rest.
 */
async function askReadable(text: string, spans: readonly StatementSpan[], options: Parameters<typeof runSquawk>[1]) {
  const unread: Unread[] = [];
  let rest = text;
  for (;;) {
    const violations = await runSquawk(rest, options);
    const fault = violations.find(({ rule }) => rule === "syntax-error");
    if (fault === undefined) return { violations, unread };
    const index = statementAt(spans, fault.offset);
    const span = spans[index];
    // No statement is left to blank if the error is after the last one, or in one that is already blank.
    if (span === undefined || unread.some((each) => each.index === index)) {
      unread.push({ index, said: fault.message });
      return { violations: [], unread };
    }
    unread.push({ index, said: fault.message });
    rest = rest.slice(0, span.start) + blank(rest.slice(span.start, span.end)) + rest.slice(span.end);
  }
}

/** Replaces a text by spaces and keeps its line breaks. */
function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

/**
 * Removes a double report: for a foreign key that is not NOT VALID, squawk reports the general rule for constraints and
 * then, directly after it, the more specific rule.
 */
function saidOnce(violations: readonly SquawkViolation[]): SquawkViolation[] {
  const ordered = violations.toSorted((a, b) => a.offset - b.offset);
  return ordered.filter(
    ({ rule }, index) =>
      rule !== "constraint-missing-not-valid" || ordered[index + 1]?.rule !== "adding-foreign-key-constraint",
  );
}

/**
 * Returns the finding for a statement that squawk cannot parse. The server's own parser decides: if it accepts the
 * statement, the file has no error, and squawk just did not judge it.
 */
async function unreadFinding(file: LintedFile, start: number, sql: string, said: string): Promise<Raw> {
  const fault = await syntaxFault(sql);
  if (fault !== undefined) return rawFinding(file, start + fault.offset, "syntax-error", "error", fault.message, null);
  const message = `squawk cannot parse this statement (${said}), so it was not checked.`;
  const help = "Check it with `migrate plan`, and accept it with a reason.";
  return rawFinding(file, start, "not-judged", ruleOf("not-judged").level, message, help);
}

/** Builds a finding for a place in a file. */
export function rawFinding(
  { filename, text }: LintedFile,
  offset: number,
  rule: string,
  level: LintFinding["level"],
  message: string,
  help: string | null,
): Raw {
  const before = text.slice(0, offset).split("\n");
  const column = [...(before.at(-1) ?? "")].length + 1;
  return { file: filename, line: before.length, column, rule, level, message, help, offset };
}
