import { type StatementSpan, statementSpans } from "../sql/statements.ts";
import { statementAt, withoutExceptions } from "./exceptions.ts";
import type { Finding } from "./finding.ts";
import { ruleOf } from "./rules.ts";
import { runSquawk, type SquawkViolation } from "./squawk.ts";
import { type StatementTables, statementTables, syntaxFault } from "./statement-tables.ts";

/** A committed file to be judged. */
export interface LintedFile {
  filename: string;
  /** The whole file. */
  text: string;
  /** Where the body begins in `text`. */
  bodyStart: number;
  /** Whether it runs in a transaction. */
  transactional: boolean;
}

/** A finding before it is known whether it matters and is excepted. */
export interface Raw extends Finding {
  /** In UTF-16 units from the file's beginning. */
  offset: number;
}

/** A file with all that could be said of it. */
export interface Judged {
  file: LintedFile;
  spans: StatementSpan[];
  raw: Raw[];
  /** Of each statement; undefined for one that cannot be parsed. */
  tables: (StatementTables | undefined)[];
}

/**
 * Asks squawk for all that it has against a file.
 * @throws OperationError where it cannot be run
 */
export async function judge(file: LintedFile, pgVersion: number): Promise<Judged> {
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

/** Placeholders of graphile-migrate (`:DATABASE_NAME`) as names of the same length, which every parser reads. */
function withoutPlaceholders(text: string): string {
  return text.replace(/(?<![:\w]):(?=[A-Z][A-Z0-9_]+\b)/g, "_");
}

interface Unread {
  /** Of the statement. */
  index: number;
  /** What squawk does not understand. */
  said: string;
}

/** squawk says nothing of a text that it does not read to the end: statements that it stumbles over are taken out, until it reads the rest. */
async function askReadable(text: string, spans: readonly StatementSpan[], options: Parameters<typeof runSquawk>[1]) {
  const unread: Unread[] = [];
  let rest = text;
  for (;;) {
    const violations = await runSquawk(rest, options);
    const fault = violations.find(({ rule }) => rule === "syntax-error");
    if (fault === undefined) return { violations, unread };
    const index = statementAt(spans, fault.offset);
    const span = spans[index];
    // Nothing is left to take out where the fault stands behind the last statement, or where one is gone already.
    if (span === undefined || unread.some((each) => each.index === index)) {
      unread.push({ index, said: fault.message });
      return { violations: [], unread };
    }
    unread.push({ index, said: fault.message });
    rest = rest.slice(0, span.start) + blank(rest.slice(span.start, span.end)) + rest.slice(span.end);
  }
}

/** Spaces, the lines kept. */
function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

/** Of a foreign key squawk says twice that it is not NOT VALID: once as of every constraint, and more exactly right behind that. */
function saidOnce(violations: readonly SquawkViolation[]): SquawkViolation[] {
  const ordered = violations.toSorted((a, b) => a.offset - b.offset);
  return ordered.filter(
    ({ rule }, index) =>
      rule !== "constraint-missing-not-valid" || ordered[index + 1]?.rule !== "adding-foreign-key-constraint",
  );
}

/** The server's own parser has the last word: what it reads is no error of the file, and only nothing that squawk could judge. */
async function unreadFinding(file: LintedFile, start: number, sql: string, said: string): Promise<Raw> {
  const fault = await syntaxFault(sql);
  if (fault !== undefined) return rawFinding(file, start + fault.offset, "syntax-error", "error", fault.message, null);
  const message = `squawk cannot read this statement (${said}), and so has not judged it.`;
  const help = "Look at what `migrate plan` says of it, and accept it with a reason.";
  return rawFinding(file, start, "not-judged", ruleOf("not-judged").level, message, help);
}

/** A finding at a place of a file. */
export function rawFinding(
  { filename, text }: LintedFile,
  offset: number,
  rule: string,
  level: Finding["level"],
  message: string,
  help: string | null,
): Raw {
  const before = text.slice(0, offset).split("\n");
  const column = [...(before.at(-1) ?? "")].length + 1;
  return { file: filename, line: before.length, column, rule, level, message, help, offset };
}
