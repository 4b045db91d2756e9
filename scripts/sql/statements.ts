/**
 * One statement of a text. It begins at its first character that is neither white space nor comment. Offsets are in
 * UTF-16 units.
 */
export interface StatementSpan {
  start: number;
  /** Offset after the last character, without the semicolon. */
  end: number;
}

/** A token of a text: its end, and its meaning for the split into statements. */
export interface Token {
  end: number;
  kind: "blank" | "comment" | "word" | "semicolon" | "open" | "close" | "other";
}

const white = /\s+/y;
const lineComment = /--[^\n]*/y;
const word = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const dollarQuote = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
const plainString = /'(?:[^']|'')*(?:'|$)/y;
const escapeString = /[eE]'(?:[^'\\]|''|\\[\s\S])*(?:'|$)/y;
const quotedIdentifier = /"(?:[^"]|"")*(?:"|$)/y;
const number = /\d[\w.]*/y;

/**
 * Returns the span of each statement in an SQL text, by psql's own rules. It handles strings, quoted names, dollar
 * quotes, nested comments, parentheses, and the BEGIN … END of a function with an SQL body. Empty statements are left
 * out, as the server does.
 */
export function statementSpans(sql: string): StatementSpan[] {
  const spans: StatementSpan[] = [];
  let start = -1;
  let end = 0;
  let words: string[] = [];
  let parentheses = 0;
  let blocks = 0;
  const close = () => {
    if (start >= 0) spans.push({ start, end });
    start = -1;
    words = [];
    parentheses = 0;
    blocks = 0;
  };
  for (const token of tokensOf(sql)) {
    if (token.kind === "semicolon" && parentheses === 0 && blocks === 0) close();
    else if (token.kind !== "blank" && token.kind !== "comment") {
      if (start < 0) start = token.start;
      end = token.end;
      if (token.kind === "open") parentheses++;
      if (token.kind === "close") parentheses = Math.max(0, parentheses - 1);
      if (token.kind === "word") {
        const text = sql.slice(token.start, token.end).toLowerCase();
        if (words.length < 4) words.push(text);
        blocks = blocksAfter(text, blocks, makesRoutine(words), parentheses);
      }
    }
  }
  close();
  return spans;
}

/** Yields the tokens of a text, by psql's own rules. Together they cover the whole text. */
export function* tokensOf(sql: string): Generator<Token & { start: number }> {
  for (let start = 0; start < sql.length; ) {
    const token = tokenAt(sql, start);
    yield { start, ...token };
    start = token.end;
  }
}

/**
 * Returns true for `CREATE [OR REPLACE] FUNCTION | PROCEDURE`. Only there can BEGIN open a block that contains
 * semicolons.
 */
function makesRoutine(words: readonly string[]): boolean {
  const [first, ...rest] = words;
  const what = rest[0] === "or" && rest[1] === "replace" ? rest[2] : rest[0];
  return first === "create" && (what === "function" || what === "procedure");
}

function blocksAfter(text: string, blocks: number, inRoutine: boolean, parentheses: number): number {
  if (!inRoutine || parentheses > 0) return blocks;
  if (text === "begin") return blocks + 1;
  // CASE has an END of its own.
  if (text === "case" && blocks > 0) return blocks + 1;
  if (text === "end" && blocks > 0) return blocks - 1;
  return blocks;
}

function tokenAt(sql: string, at: number): Token {
  const match = (pattern: RegExp): number => {
    pattern.lastIndex = at;
    return pattern.test(sql) ? pattern.lastIndex : -1;
  };
  const space = match(white);
  if (space > 0) return { end: space, kind: "blank" };
  const comment = match(lineComment);
  if (comment > 0) return { end: comment, kind: "comment" };
  switch (sql[at]) {
    case ";":
      return { end: at + 1, kind: "semicolon" };
    case "(":
      return { end: at + 1, kind: "open" };
    case ")":
      return { end: at + 1, kind: "close" };
    case "'":
      return { end: match(plainString), kind: "other" };
    case '"':
      return { end: match(quotedIdentifier), kind: "other" };
    case "/":
      return sql[at + 1] === "*" ? { end: commentEnd(sql, at), kind: "comment" } : { end: at + 1, kind: "other" };
    case "$": {
      const opened = match(dollarQuote);
      if (opened < 0) return { end: at + 1, kind: "other" };
      const closed = sql.indexOf(sql.slice(at, opened), opened);
      return { end: closed < 0 ? sql.length : closed + (opened - at), kind: "other" };
    }
  }
  const escaped = match(escapeString);
  if (escaped > 0) return { end: escaped, kind: "other" };
  const name = match(word);
  if (name > 0) return { end: name, kind: "word" };
  const digits = match(number);
  return { end: digits > 0 ? digits : at + 1, kind: "other" };
}

/** Returns the end of a comment. Comments nest in PostgreSQL. */
function commentEnd(sql: string, at: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = at;
  let depth = 0;
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    depth += mark[0] === "/*" ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return sql.length;
}
