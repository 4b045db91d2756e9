import { statementSpans } from "./statements.ts";

/** The parts of an error of the server that are shown; pg's DatabaseError has them. */
export interface ServerError {
  message: string;
  code?: string | undefined;
  detail?: string | undefined;
  hint?: string | undefined;
  /** In characters from 1, within the text that was sent. */
  position?: string | undefined;
  /** In characters from 1, within `internalQuery`, a statement that the server made or that stands in a function. */
  internalPosition?: string | undefined;
  internalQuery?: string | undefined;
  where?: string | undefined;
  schema?: string | undefined;
  table?: string | undefined;
  constraint?: string | undefined;
}

/** The file that a text came from. */
export interface SqlSource {
  /** As messages name it. */
  file: string;
  /** The whole file. */
  text: string;
  /** Where in `text` the part begins that was sent, in UTF-16 units. */
  start: number;
  /** Replaces placeholders; what was sent is `compile` of each line of the part. */
  compile?: (sql: string) => string;
}

/** Place in the file, both from 1. */
export interface SqlPlace {
  line: number;
  column: number;
}

/** How much of a long line is shown, in characters. */
const shownWidth = 160;
const linesBefore = 2;

/**
 * An error as shown: file:line:column, the lines with a caret, SQLSTATE, detail, hint, context. The server gives a position for what
 * it cannot parse or resolve; for what fails while running, `completed` (how many statements were done) tells the statement.
 */
export function describeSqlError(
  error: ServerError,
  source: SqlSource,
  completed?: number,
): { text: string; place: SqlPlace | undefined } {
  const place = placeOf(error, source, completed);
  const at = place === undefined ? "" : `:${place.line}:${place.column}`;
  const lines = [`${source.file}${at}: ${error.message}`];
  if (place !== undefined) lines.push(...excerpt(source.text, place));
  if (error.code) lines.push(`  SQLSTATE ${error.code}`);
  if (error.detail) lines.push(...labelled("Detail", error.detail));
  if (error.hint) lines.push(...labelled("Hint", error.hint));
  if (error.where) lines.push(...labelled("Where", error.where));
  if (error.internalQuery && error.internalPosition) {
    const inner = placeInText(error.internalQuery, unitOffset(error.internalQuery, Number(error.internalPosition)));
    lines.push("  In the statement:", ...excerpt(error.internalQuery, inner));
  }
  return { text: lines.join("\n"), place };
}

function placeOf(error: ServerError, source: SqlSource, completed: number | undefined): SqlPlace | undefined {
  const compile = source.compile ?? ((sql: string) => sql);
  const part = source.text.slice(source.start);
  const sent = compile(part);
  const offset =
    error.position === undefined ? statementOffset(sent, completed) : unitOffset(sent, Number(error.position));
  return offset === undefined
    ? undefined
    : placeInText(source.text, source.start + offsetBefore(compile, part, offset));
}

function statementOffset(sent: string, completed: number | undefined): number | undefined {
  return completed === undefined ? undefined : statementSpans(sent)[completed]?.start;
}

/** PostgreSQL counts characters from 1, JavaScript UTF-16 units from 0. */
function unitOffset(text: string, position: number): number {
  let units = 0;
  let characters = 1;
  for (const character of text) {
    if (characters >= position) break;
    characters++;
    units += character.length;
  }
  return units;
}

/** The offset in the text before placeholders were replaced; exact but inside a replaced word, where it is the word's start. */
function offsetBefore(compile: (sql: string) => string, part: string, offset: number): number {
  let before = 0;
  let after = 0;
  for (const line of part.split("\n")) {
    const compiled = compile(line);
    if (offset <= after + compiled.length) return before + columnBefore(compile, line, compiled, offset - after);
    before += line.length + 1;
    after += compiled.length + 1;
  }
  return part.length;
}

function columnBefore(compile: (sql: string) => string, line: string, compiled: string, column: number): number {
  if (compiled === line) return column;
  for (let length = line.length; length > 0; length--) {
    const start = compile(line.slice(0, length));
    if (start.length <= column && compiled.startsWith(start)) return length;
  }
  return 0;
}

function placeInText(text: string, offset: number): SqlPlace {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: [...(before.at(-1) ?? "")].length + 1 };
}

function excerpt(text: string, { line, column }: SqlPlace): string[] {
  const all = text.split("\n").map((content) => content.replace(/\r$/, ""));
  const first = Math.max(1, line - linesBefore);
  const width = String(line).length;
  // A window of a long line, so that the caret is always in sight.
  const from = column > shownWidth ? column - shownWidth / 2 : 0;
  const shown = (content: string, to = from + shownWidth) => [...content].slice(from, to).join("");
  const lines = all
    .slice(first - 1, line)
    .map((content, index) => `  ${String(first + index).padStart(width)} | ${shown(content)}`);
  const indent = shown(all[line - 1] ?? "", column - 1);
  // Tabs stay tabs, or the caret would stand elsewhere than what it points at.
  lines.push(`  ${" ".repeat(width)} | ${indent.replace(/[^\t]/gu, " ")}^`);
  return lines;
}

function labelled(label: string, value: string): string[] {
  return [`  ${label}: ${value.split("\n").join("\n    ")}`];
}
