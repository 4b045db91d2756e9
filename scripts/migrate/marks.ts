import { nearest } from "../core/nearest.ts";
import type { TextFault } from "../sql/refused.ts";
import { tokensOf } from "../sql/statements.ts";

const noTransaction = "no-transaction";
const includes = ["include", "Included", "EndIncluded"];

/** `--!` lines of a migration and of a down migration. */
const marks = {
  up: ["Previous", "Hash", "Message", "AllowInvalidHash", noTransaction, "split", "Included", "EndIncluded"],
  down: [noTransaction, "Irreversible", "Included", "EndIncluded"],
} as const;
/** `--!` lines that have a meaning only in the lines at the top of a file. */
const headers: readonly string[] = ["Previous", "Hash", "Message", "AllowInvalidHash", "Irreversible"];

/** A `--!` line outside of strings and function bodies. */
interface Mark {
  offset: number;
  word: string;
  line: string;
  /** True if nothing but comments comes before it. */
  leading: boolean;
}

/**
 * Returns true if a body has `--! no-transaction` before its first statement. graphile-migrate's own command line finds
 * it only in the first line.
 */
export function runsOutsideTransaction(body: string): boolean {
  if (!body.includes(noTransaction)) return false;
  for (const { word, leading } of marksOf(body)) {
    if (!leading) return false;
    if (word === noTransaction) return true;
  }
  return false;
}

/**
 * Finds `--!` lines that are unknown, or that have no effect where they are.
 *
 * @param bodyStart offset of what follows the headers
 */
export function markFaults(text: string, kind: keyof typeof marks, bodyStart: number): TextFault[] {
  return [...marksOf(text)].flatMap((mark): TextFault[] => {
    const fault = unknown(mark, marks[kind]) ?? misplaced(mark, bodyStart);
    return fault === undefined ? [] : [{ offset: mark.offset, ...fault }];
  });
}

type Fault = Omit<TextFault, "offset">;

function unknown({ word, line }: Mark, known: readonly string[]): Fault | undefined {
  if (known.includes(word)) return undefined;
  if (word === "include")
    return {
      message: `"${line.trim()}" includes nothing`,
      hint: "Write --!include PATH.sql in current.sql, with a path in the folder fixtures; `migrate commit` inserts the file's content. A committed file cannot include another.",
    };
  const meant = nearest(word, [...known, ...includes]);
  const guess = meant === undefined ? "" : ` Did you mean "--! ${meant}"?`;
  return {
    message: `the line "${line.trim()}" is unknown`,
    hint: `Lines that begin with --! are instructions.${guess} A comment begins with -- and a space.`,
  };
}

function misplaced({ word, leading, offset }: Mark, bodyStart: number): Fault | undefined {
  if (word === noTransaction && !leading)
    return {
      message: `"--! ${noTransaction}" has no effect after a statement`,
      hint: "Move it to the first line, before the statement.",
    };
  const atTop = word === "Irreversible" ? offset === 0 : offset < bodyStart;
  if (!headers.includes(word) || atTop) return undefined;
  return {
    message: `"--! ${word}" has no effect here`,
    hint: "Move it to the top of the file, with nothing before it but other lines of this kind.",
  };
}

function* marksOf(text: string): Generator<Mark> {
  if (!text.includes("--!")) return;
  let leading = true;
  for (const { start, end, kind } of tokensOf(text)) {
    if (kind === "comment" && text.startsWith("--!", start) && /(?:^|\n)[^\S\n]*$/.test(text.slice(0, start))) {
      const line = text.slice(start, end);
      yield { offset: start, word: /^--!\s*([\w-]*)/.exec(line)?.[1] ?? "", line, leading };
    }
    // An empty statement is none.
    if (kind !== "comment" && kind !== "blank" && kind !== "semicolon") leading = false;
  }
}
