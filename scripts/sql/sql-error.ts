import { statementSpans } from "./statements.ts";

/** The parts of a server error that are shown. pg's DatabaseError has them. */
export interface ServerError {
  message: string;
  code?: string | undefined;
  detail?: string | undefined;
  hint?: string | undefined;
  /** In characters, starting at 1, within the text that was sent. */
  position?: string | undefined;
  /**
   * In characters, starting at 1, within `internalQuery`: a statement that the server generated or that is in a
   * function.
   */
  internalPosition?: string | undefined;
  internalQuery?: string | undefined;
  where?: string | undefined;
  schema?: string | undefined;
  table?: string | undefined;
  constraint?: string | undefined;
}

/** The file that a text came from. */
export interface SqlSource {
  /** Its name in messages. */
  file: string;
  /** The whole file. */
  text: string;
  /** Offset in `text` of the part that was sent, in UTF-16 units. */
  start: number;
  /** Replaces placeholders. The text that was sent is `compile` of each line of the part. */
  compile?: (sql: string) => string;
  /** The file and line that each line of `text` comes from, if other files were included in it. */
  origins?: readonly LineOrigin[] | undefined;
}

/** File and line that a line of a text comes from. */
export interface LineOrigin {
  file: string;
  /** Starts at 1. */
  line: number;
}

/** Place in the file. Both numbers start at 1. */
export interface SqlPlace {
  line: number;
  column: number;
}

/** Longest part of a line that is shown, in characters. */
const shownWidth = 160;
const linesBefore = 2;

/**
 * Formats an error: file:line:column, the lines with a caret, SQLSTATE, detail, hint, context. The server gives a
 * position for an error of parsing or name resolution. For a runtime error, `completed` (the number of statements done)
 * determines the statement.
 */
export function describeSqlError(
  error: ServerError,
  source: SqlSource,
  completed?: number,
): { text: string; place: SqlPlace | undefined } {
  const place = placeOf(error, source, completed);
  const lines = place === undefined ? [`${source.file}: ${error.message}`] : pointAt(source, place, error.message);
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

/** Formats a message about a place in a file: file:line:column, and the lines with a caret. */
export function describePlace(
  source: Pick<SqlSource, "file" | "text" | "origins">,
  offset: number,
  message: string,
): string {
  return pointAt(source, placeInText(source.text, offset), message).join("\n");
}

function pointAt(
  { file, text, origins }: Pick<SqlSource, "file" | "text" | "origins">,
  place: SqlPlace,
  message: string,
): string[] {
  const origin = origins?.[place.line - 1] ?? { file, line: place.line };
  return [`${origin.file}:${origin.line}:${place.column}: ${message}`, ...excerpt(text, place, origins)];
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

/** Converts a position. PostgreSQL counts characters from 1, JavaScript counts UTF-16 units from 0. */
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

/**
 * Returns the offset in the text before placeholders were replaced. Inside a replaced word, it is the start of that
 * word.
 */
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

function excerpt(text: string, { line, column }: SqlPlace, origins?: readonly LineOrigin[]): string[] {
  const all = text.split("\n").map((content) => content.replace(/\r$/, ""));
  const originOf = (index: number) => origins?.[index] ?? { file: "", line: index + 1 };
  const { file, line: lineInFile } = originOf(line - 1);
  const width = String(lineInFile).length;
  // Show a window of a long line, so that the caret is always visible.
  const from = column > shownWidth ? column - shownWidth / 2 : 0;
  const shown = (content: string, to = from + shownWidth) => [...content].slice(from, to).join("");
  const lines: string[] = [];
  for (let index = Math.max(0, line - 1 - linesBefore); index < line; index++) {
    const origin = originOf(index);
    // Lines of the including file are not the lines before this one.
    if (origin.file === file) lines.push(`  ${String(origin.line).padStart(width)} | ${shown(all[index] ?? "")}`);
  }
  const indent = shown(all[line - 1] ?? "", column - 1);
  // Keep tabs, so that the caret points at the right character.
  lines.push(`  ${" ".repeat(width)} | ${indent.replace(/[^\t]/gu, " ")}^`);
  return lines;
}

function labelled(label: string, value: string): string[] {
  return [`  ${label}: ${value.split("\n").join("\n    ")}`];
}
