import type { StatementSpan } from "../sql/statements.ts";

/** A comment `-- squawk-ignore rule[, rule]: reason`, or `-- squawk-ignore-file …` for the whole file. */
export interface ExceptionComment {
  /** In UTF-16 units from the text's beginning. */
  offset: number;
  wholeFile: boolean;
  rules: string[];
  /** Empty where none is given. */
  reason: string;
}

const comment = /(?:--|\/\*)[ \t]*squawk-ignore(-file)?(?![\w-])(.*?)(?=\*\/|$)/gm;

export function readExceptions(text: string): ExceptionComment[] {
  return [...text.matchAll(comment)].map(({ index, 1: file, 2: rest = "" }) => {
    const [names = "", ...reason] = rest.split(":");
    return {
      offset: index,
      wholeFile: file !== undefined,
      rules: names.split(",").flatMap((name) => name.trim() || []),
      reason: reason.join(":").trim(),
    };
  });
}

/** The text without the words that squawk listens to, every other character in its place: exceptions are judged here, by their reasons. */
export function withoutExceptions(text: string): string {
  return text.replace(/squawk-(?:ignore|disable)/g, (word) => " ".repeat(word.length));
}

/** Whether a comment speaks of what stands at a place: it does of the statement that it stands before, or in. */
export function covers(
  { offset, wholeFile }: Pick<ExceptionComment, "offset" | "wholeFile">,
  place: number,
  spans: readonly StatementSpan[],
): boolean {
  return wholeFile || statementAt(spans, offset) === statementAt(spans, place);
}

/** Index of the statement that holds a place, or of the next one behind it; -1 behind the last. */
export function statementAt(spans: readonly StatementSpan[], offset: number): number {
  return spans.findIndex(({ end }) => offset < end);
}
