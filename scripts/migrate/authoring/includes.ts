/**
 * `--!include`, as graphile-migrate 2 has it: a line of a draft is replaced by a file of the folder `fixtures` when the
 * draft is committed.
 */
import { readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { unlessAbsentSync } from "../../core/absent.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { decodeUtf8 } from "../../core/utf8.ts";
import { describePlace, type LineOrigin } from "../../sql/sql-error.ts";

/** Folder of a database whose files drafts can include. */
const fixtures = "fixtures";
const includeLine = /^--![ \t]*include[ \t]+(.*\.sql)[ \t]*\r?$/;
const byHand = /^--!\s*(?:End)?Included?\b/;
const committedBlock = /^--! Included (?<file>\S.*)\n(?<content>[\s\S]*?)\n?^--! EndIncluded \k<file>$/gm;

/** Returns true if a draft includes files. Its own text may then have no statement. */
export function hasIncludes(text: string): boolean {
  return text.split("\n").some((line) => includeLine.test(line));
}

/** A draft with its includes. */
export interface CompiledDraft {
  text: string;
  /** The file and line that each line of `text` comes from; undefined if nothing is included. */
  origins: LineOrigin[] | undefined;
}

/** A file that is being compiled, and those that include it. */
interface Source {
  /** Its name in messages. */
  file: string;
  text: string;
  /** Number of its first line in the file. Default: 1. */
  firstLine?: number;
  /** Absolute paths of the files that include it, and its own. */
  trail: readonly string[];
}

/**
 * Replaces each line `--!include PATH.sql` of a draft by that file in the folder `fixtures`, between `--! Included
 * PATH.sql` and `--! EndIncluded PATH.sql`. Included files can include others.
 *
 * @param file the draft's name in messages
 * @throws OperationError (exit code usage) with the line, for a file that does not exist, lies outside the folder, is
 * not UTF-8, or includes itself
 */
export function compileIncludes(folder: string, file: string, text: string): CompiledDraft {
  const lines = compile(folder, { file, text, trail: [] });
  const origins = lines.map(({ origin }) => origin);
  return {
    text: lines.map(({ line }) => line).join("\n"),
    origins: origins.every((origin) => origin.file === file) ? undefined : origins,
  };
}

function compile(folder: string, source: Source): { line: string; origin: LineOrigin }[] {
  let offset = 0;
  return source.text.split("\n").flatMap((line, index) => {
    const place = offset;
    offset += line.length + 1;
    const origin = { file: source.file, line: index + (source.firstLine ?? 1) };
    if (byHand.test(line))
      throw fault(source, place, "this line marks what `migrate commit` included, and cannot be written by hand");
    const name = includeLine.exec(line)?.[1];
    if (name === undefined) return [{ line, origin }];
    return [
      { line: `--! Included ${name}`, origin },
      ...compile(folder, included(folder, source, place, name)),
      { line: `--! EndIncluded ${name}`, origin },
    ];
  });
}

function included(folder: string, source: Source, place: number, name: string): Source {
  const root = real(path.join(folder, fixtures)) ?? path.resolve(folder, fixtures);
  const target = real(path.join(root, name));
  if (target === undefined) throw fault(source, place, `${path.join(fixtures, name)} does not exist in ${folder}`);
  if (path.relative(root, target).split(path.sep)[0] === "..")
    throw fault(source, place, `${name} is not inside the folder ${fixtures}`);
  if (source.trail.includes(target)) {
    const trail = [...source.trail, target].map((file) => path.relative(root, file)).join(" -> ");
    throw fault(source, place, `${name} includes itself: ${trail}`);
  }
  const decoded = decodeUtf8(readContent(source, place, target, name));
  const file = path.join(fixtures, name);
  if (decoded.fault !== undefined) throw fault(source, place, `${file} cannot be included: ${decoded.fault}`);
  // graphile-migrate trims what it includes.
  const text = decoded.text.trim();
  const firstLine = decoded.text.slice(0, decoded.text.indexOf(text)).split("\n").length;
  return { file, text, firstLine, trail: [...source.trail, target] };
}

function readContent(source: Source, place: number, target: string, name: string): Buffer {
  try {
    return readFileSync(target);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${error.code})` : "";
    throw fault(source, place, `${path.join(fixtures, name)} cannot be read${code}`);
  }
}

function real(file: string): string | undefined {
  return unlessAbsentSync(() => realpathSync(file));
}

function fault(source: Source, place: number, message: string): OperationError {
  return new OperationError(describePlace(source, place, message), {
    hint: `Write --!include PATH.sql, with the path of a file in the folder ${fixtures}.`,
    exitCode: exitCode.usage,
  });
}

/**
 * Turns included content of a committed file back into its `--!include` lines. Content that the folder `fixtures` no
 * longer has stays in the text, because it would be lost.
 */
export function restoreIncludes(folder: string, text: string): string {
  return text.replace(committedBlock, (block: string, name: string, content: string) => {
    const line = `--!include ${name}`;
    try {
      return compileIncludes(folder, "", line).text === block ? line : restoreIncludes(folder, content);
    } catch (error) {
      if (error instanceof OperationError) return restoreIncludes(folder, content);
      throw error;
    }
  });
}
