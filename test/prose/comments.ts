import ts from "typescript";

/** A comment of a TypeScript or JavaScript file. */
export interface Comment {
  /** With its delimiters. */
  text: string;
  /** Line it begins on, from 1. */
  line: number;
  isDoc: boolean;
}

/** Returns all comments of a file, in order. Comments inside strings and regular expressions are none. */
export function commentsOf(text: string): Comment[] {
  const file = ts.createSourceFile("file.ts", text, ts.ScriptTarget.Latest, true);
  const found = new Map<number, Comment>();
  const collect = (ranges: readonly ts.CommentRange[] | undefined) => {
    for (const { pos, end } of ranges ?? []) {
      const comment = text.slice(pos, end);
      const line = file.getLineAndCharacterOfPosition(pos).line + 1;
      found.set(pos, { text: comment, line, isDoc: comment.startsWith("/**") });
    }
  };
  // Comments stand before and behind tokens; every token is a leaf.
  const visit = (node: ts.Node) => {
    const children = node.getChildren(file);
    if (children.length > 0) {
      for (const child of children) visit(child);
      return;
    }
    collect(ts.getLeadingCommentRanges(text, node.pos));
    // What follows the first part of a template is its text or an expression of its own.
    if (!ts.isTemplateHead(node) && !ts.isTemplateMiddle(node)) collect(ts.getTrailingCommentRanges(text, node.end));
  };
  visit(file);
  return [...found.entries()].toSorted(([one], [other]) => one - other).map(([, comment]) => comment);
}
