import { statementSpans } from "../../sql/statements.ts";
import type { CommittedMigration } from "../committed.ts";

/** One statement of a committed file. */
export interface FileStatement {
  /** Where it begins and ends in the whole file, in UTF-16 units. */
  start: number;
  end: number;
  /** In the whole file, from 1. */
  line: number;
  lastLine: number;
  /** What it begins with, in one line. */
  title: string;
}

/** How much of a statement its title has at most, in characters. */
const titleLength = 120;

/** The statements of a file, in order. */
export function statementsOf({ text, bodyStart }: Pick<CommittedMigration, "text" | "bodyStart">): FileStatement[] {
  return statementSpans(text.slice(bodyStart)).map((span) => {
    const [start, end] = [bodyStart + span.start, bodyStart + span.end];
    const lineOf = (offset: number) => text.slice(0, offset).split("\n").length;
    return { start, end, line: lineOf(start), lastLine: lineOf(end), title: titleOf(text.slice(start, end)) };
  });
}

/** Comments behind a line's end are left out: in one line they would swallow the rest. */
function titleOf(statement: string): string {
  const line = statement
    .replace(/--[^\n]*/g, "")
    .replace(/\s+/g, " ")
    .trim();
  return line.length > titleLength ? `${line.slice(0, titleLength - 1)}…` : line;
}

/** Whether a statement changes or reads rows (or calls what may) and so has a plan that depends on how many there are. */
export function readsByPlan(statement: string): boolean {
  return /^(?:update|delete|insert|merge|select|with|do|call)\b/i.test(statement);
}
