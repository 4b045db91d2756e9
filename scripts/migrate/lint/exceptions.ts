import type { StatementSpan } from "../../sql/statements.ts";

/** A comment `-- squawk-ignore rule[, rule]: reason`, or `-- squawk-ignore-file …` for the whole file. */
export interface ExceptionComment {
  /** Offset from the beginning of the text, in UTF-16 units. */
  offset: number;
  wholeFile: boolean;
  rules: string[];
  /** Empty if there is none. */
  reason: string;
}

const comment = /(?:--|\/\*)[ \t]*squawk-ignore(-file)?(?![\w-])(.*?)(?=\*\/|$)/gm;

/** Returns the exception comments of a text, in order. */
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

/**
 * Blanks the words that squawk listens to and keeps all other characters in place. Exceptions are evaluated here,
 * because they need a reason.
 */
export function withoutExceptions(text: string): string {
  return text.replace(/squawk-(?:ignore|disable)/g, (word) => " ".repeat(word.length));
}

/** Returns true if a comment applies to a place: it applies to the statement that it precedes or is in. */
export function covers(
  { offset, wholeFile }: Pick<ExceptionComment, "offset" | "wholeFile">,
  place: number,
  spans: readonly StatementSpan[],
): boolean {
  return wholeFile || statementAt(spans, offset) === statementAt(spans, place);
}

/** Returns the index of the statement at an offset, or of the next one after it; -1 after the last. */
export function statementAt(spans: readonly StatementSpan[], offset: number): number {
  return spans.findIndex(({ end }) => offset < end);
}
