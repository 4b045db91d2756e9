/** One statement of a text: where it begins (its first character that is no blank and no comment) and ends, in UTF-16 units. */
export interface StatementSpan {
  start: number;
  /** Just behind the last character, the semicolon not counted. */
  end: number;
}

/** What stands at one place of the text: its end, and what it means for finding statements. */
interface Token {
  end: number;
  kind: "blank" | "word" | "semicolon" | "open" | "close" | "other";
}

const blank = /\s+|--[^\n]*/y;
const word = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const dollarQuote = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
const plainString = /'(?:[^']|'')*(?:'|$)/y;
const escapeString = /[eE]'(?:[^'\\]|''|\\[\s\S])*(?:'|$)/y;
const quotedIdentifier = /"(?:[^"]|"")*(?:"|$)/y;
const number = /\d[\w.]*/y;

/**
 * Where each statement of an SQL text stands, by psql's own rules: strings, quoted names, dollar quotes, nested comments, parentheses,
 * and the BEGIN … END of a function with an SQL body. Empty statements are left out, as the server does.
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
  for (let at = 0; at < sql.length; ) {
    const token = tokenAt(sql, at);
    if (token.kind === "semicolon" && parentheses === 0 && blocks === 0) close();
    else if (token.kind !== "blank") {
      if (start < 0) start = at;
      end = token.end;
      if (token.kind === "open") parentheses++;
      if (token.kind === "close") parentheses = Math.max(0, parentheses - 1);
      if (token.kind === "word") {
        const text = sql.slice(at, token.end).toLowerCase();
        if (words.length < 4) words.push(text);
        blocks = blocksAfter(text, blocks, makesRoutine(words), parentheses);
      }
    }
    at = token.end;
  }
  close();
  return spans;
}

/** `CREATE [OR REPLACE] FUNCTION | PROCEDURE`: only there does BEGIN open a block that holds semicolons. */
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
  const space = match(blank);
  if (space > 0) return { end: space, kind: "blank" };
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
      return sql[at + 1] === "*" ? { end: commentEnd(sql, at), kind: "blank" } : { end: at + 1, kind: "other" };
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

/** Comments nest in PostgreSQL. */
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
