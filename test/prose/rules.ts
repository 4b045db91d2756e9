import { commentsOf } from "./comments.ts";

/** A place that breaks a rule. */
export interface Breach {
  /** From 1. */
  line: number;
  message: string;
}

/** Columns that a line of a comment may have. */
const columns = 120;

const words = "What|Whether|How|Who|Whom|Whose|Where|Why|Which|When|Of|By|That";
const fragment = new RegExp(`^(${words})\\b`);
// Few files match these, so few have to be parsed: a doc comment with a fragment, a line of a comment, and a comment
// with a line that begins without an asterisk.
const candidate = new RegExp(`/\\*\\*[\\s*]*(${words})\\b`);
const commentLine = /\/\/|\/\*|^\s*\*/;
const plainLines = /\/\*(?:(?!\*\/)[\s\S])*?\n\s*[^\s*]/;

/**
 * Lists where the comments of a TypeScript or JavaScript file are hard to read: a doc comment that begins with an
 * interrogative fragment instead of a verb or a name, and a line that is too long.
 */
export function breachesIn(text: string): Breach[] {
  const lines = text.split("\n");
  const tooLong = lines.filter(({ length }) => length > columns);
  const hasLong = tooLong.some((line) => commentLine.test(line)) || (tooLong.length > 0 && plainLines.test(text));
  if (!hasLong && !candidate.test(text)) return [];
  return commentsOf(text).flatMap((comment) => {
    const [, beginning] = fragment.exec(comment.text.replace(/^\/\*\*[\s*]*/, "")) ?? [];
    const long = comment.text.split("\n").flatMap((_, index) => {
      const line = comment.line + index;
      const { length } = lines[line - 1] ?? "";
      return length > columns ? [{ line, message: `a comment's line has ${length} columns of ${columns}` }] : [];
    });
    if (!comment.isDoc || beginning === undefined) return long;
    const message = `a doc comment begins with "${beginning}": begin with a verb, or name the thing`;
    return [{ line: comment.line, message }, ...long];
  });
}
