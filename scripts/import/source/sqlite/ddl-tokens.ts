/*
 * The parts of a SQLite CREATE statement that no pragma shows: checks, and foreign keys that are deferred. The text is
 * split into tokens, because a check can contain quotes, comments and brackets.
 */

/** A token of SQL. */
export interface Token {
  kind: "word" | "name" | "text" | "number" | "blob" | "symbol";
  /** Word in lower case, or the value of a quoted name or text without its quotes. */
  value: string;
  /** Position in the statement, and the position behind the token. */
  from: number;
  to: number;
}

const pattern =
  /(?<space>\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<blob>[xX]'[\da-fA-F]*')|(?<text>'(?:[^']|'')*')|(?<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|(?<number>0[xX][\da-fA-F]+|(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?<word>[\p{L}_\u0080-\u{10ffff}][\p{L}\p{N}_$\u0080-\u{10ffff}]*)|(?<symbol>\|\||<=|>=|==|<>|!=|<<|>>|->>|->|[\s\S])/uy;

/** Splits a statement into tokens, without spaces and comments. */
export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  pattern.lastIndex = 0;
  while (pattern.lastIndex < sql.length) {
    const from = pattern.lastIndex;
    const groups = pattern.exec(sql)?.groups;
    if (groups === undefined) break;
    const to = pattern.lastIndex;
    for (const kind of ["blob", "text", "name", "number", "word", "symbol"] as const) {
      const found = groups[kind];
      if (found !== undefined) tokens.push({ kind, value: tokenValue(kind, found), from, to });
    }
  }
  return tokens;
}

function tokenValue(kind: Token["kind"], found: string): string {
  if (kind === "word") return found.toLowerCase();
  if (kind === "blob") return found.slice(2, -1).toLowerCase();
  if (kind === "number") return found.replaceAll("_", "");
  if (kind === "text") return found.slice(1, -1).replaceAll("''", "'");
  if (kind !== "name") return found;
  const quote = found[0] as string;
  return quote === "[" ? found.slice(1, -1) : found.slice(1, -1).replaceAll(quote + quote, quote);
}

/** Parts of a CREATE TABLE that no pragma shows. */
export interface TableText {
  /** Expressions of checks, as they are written. */
  checks: string[];
  /** Expressions of generated columns by the column's name in lower case. */
  generated: Map<string, string>;
  /** Collations of columns by the column's name in lower case. */
  collations: Map<string, string>;
  /** For each foreign key in the order of the text, true if it is deferred. */
  deferred: boolean[];
}

/** Reads the text of a CREATE TABLE. */
export function readTableText(sql: string): TableText {
  const tokens = tokensOf(sql);
  const result: TableText = { checks: [], generated: new Map(), collations: new Map(), deferred: [] };
  const start = tokens.findIndex(({ kind, value }) => kind === "symbol" && value === "(");
  let depth = 0;
  let column = "";
  for (let at = start; at >= 0 && at < tokens.length; at++) {
    const token = tokens[at] as Token;
    if (isSymbol(token, "(")) depth++;
    if (isSymbol(token, ")")) depth--;
    if (depth !== 1) continue;
    if (isSymbol(token, "(") || isSymbol(token, ",")) {
      column = tokens[at + 1]?.value.toLowerCase() ?? "";
      continue;
    }
    if (token.kind !== "word") continue;
    const next = tokens[at + 1];
    if (token.value === "check" && isSymbol(next, "(")) result.checks.push(bracketed(sql, tokens, at + 1));
    if (token.value === "as" && isSymbol(next, "(")) result.generated.set(column, bracketed(sql, tokens, at + 1));
    if (token.value === "collate" && next !== undefined) result.collations.set(column, next.value.toUpperCase());
    if (token.value === "references") result.deferred.push(false);
    if (token.value === "deferrable" && !isWord(tokens[at - 1], "not") && result.deferred.length > 0)
      result.deferred[result.deferred.length - 1] = isWord(next, "initially") && isWord(tokens[at + 2], "deferred");
  }
  return result;
}

/** Returns the condition of a partial index from the text of its CREATE INDEX; undefined if it has none. */
export function readIndexCondition(sql: string): string | undefined {
  const tokens = tokensOf(sql);
  let depth = 0;
  for (const token of tokens) {
    if (isSymbol(token, "(")) depth++;
    if (isSymbol(token, ")")) depth--;
    if (depth === 0 && isWord(token, "where")) return sql.slice(token.to).trim();
  }
  return undefined;
}

/** Returns the text between the bracket at a position and the one that closes it. */
function bracketed(sql: string, tokens: readonly Token[], open: number): string {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    if (isSymbol(token, "(")) depth++;
    if (isSymbol(token, ")") && --depth === 0) return sql.slice((tokens[open] as Token).to, token.from).trim();
  }
  return sql.slice((tokens[open] as Token).to).trim();
}

/** Returns true if a token is this symbol. */
export function isSymbol(token: Token | undefined, value: string): boolean {
  return token?.kind === "symbol" && token.value === value;
}

/** Returns true if a token is this word, which is not quoted. */
export function isWord(token: Token | undefined, value: string): boolean {
  return token?.kind === "word" && token.value === value;
}
