import { statementSpans } from "../../sql/statements.ts";
import type { CommittedMigration } from "../committed.ts";

/** One statement of a committed file. */
export interface FileStatement {
  /** Offset of its beginning in the whole file, in UTF-16 units. */
  start: number;
  end: number;
  /** Its first line in the whole file, starting at 1. */
  line: number;
  lastLine: number;
  /** Beginning of the statement, in one line. */
  title: string;
}

/** Longest title, in characters. */
const titleLength = 120;

/** Returns the statements of a file, in order. */
export function statementsOf({ text, bodyStart }: Pick<CommittedMigration, "text" | "bodyStart">): FileStatement[] {
  return statementSpans(text.slice(bodyStart)).map((span) => {
    const [start, end] = [bodyStart + span.start, bodyStart + span.end];
    const lineOf = (offset: number) => text.slice(0, offset).split("\n").length;
    return { start, end, line: lineOf(start), lastLine: lineOf(end), title: titleOf(text.slice(start, end)) };
  });
}

/** Builds a title. Comments at the end of a line are left out: in one line they would swallow the rest. */
function titleOf(statement: string): string {
  const line = statement
    .replace(/--[^\n]*/g, "")
    .replace(/\s+/g, " ")
    .trim();
  return line.length > titleLength ? `${line.slice(0, titleLength - 1)}…` : line;
}

/**
 * Returns true if a statement changes or reads rows, or calls something that may. Its plan depends on the number of
 * rows.
 */
export function readsByPlan(statement: string): boolean {
  return /^(?:update|delete|insert|merge|select|with|do|call)\b/i.test(statement);
}
