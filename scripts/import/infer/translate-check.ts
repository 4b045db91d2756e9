import { isSymbol, isWord, type Token, tokensOf } from "../source/sqlite/ddl-tokens.ts";
import { identifier } from "../target/target-table.ts";
import type { Family } from "./choose-type.ts";
import { sqlText } from "./sql-text.ts";

/** A column that an expression can name. */
export interface NamedColumn {
  /** Name in the target. */
  target: string;
  family: Family;
  /** Rule by which SQLite compares its texts. */
  collation: string;
}

/** Thrown for a part whose meaning in PostgreSQL is not certain. */
class NotTranslatable extends Error {}

/** Kind of an operand. PostgreSQL compares operands of one kind only; SQLite converts others by its own rules. */
type Kind = "number" | "text" | "boolean";

interface Operand {
  sql: string;
  kind: Kind;
  /** The column, if it is one. */
  column?: NamedColumn;
  /** The value, if it is a literal. */
  literal?: string;
}

const comparisons: Readonly<Record<string, string>> = {
  "=": "=",
  "==": "=",
  "<>": "<>",
  "!=": "<>",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
};

/** Types of SQLite that values of a family have. */
const typeNames: Readonly<Partial<Record<Family, string>>> = {
  integer: "integer",
  text: "text",
  bytea: "blob",
  double: "real",
};

/**
 * Translates a condition of SQLite, if it means the same in PostgreSQL: comparisons of columns with literals or with
 * each other, AND, OR, NOT, IN, BETWEEN, IS NULL, length() and typeof().
 *
 * @param columns the table's columns by their names in lower case
 * @returns undefined if it cannot be translated
 */
export function translateCondition(sql: string, columns: ReadonlyMap<string, NamedColumn>): string | undefined {
  try {
    return new Translator(tokensOf(sql), columns).condition();
  } catch (error) {
    if (error instanceof NotTranslatable) return undefined;
    throw error;
  }
}

class Translator {
  readonly #tokens: readonly Token[];
  readonly #columns: ReadonlyMap<string, NamedColumn>;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], columns: ReadonlyMap<string, NamedColumn>) {
    this.#tokens = tokens;
    this.#columns = columns;
  }

  condition(): string {
    const sql = this.#or();
    if (this.#at < this.#tokens.length) throw new NotTranslatable();
    return sql;
  }

  #or(): string {
    const parts = [this.#and()];
    while (this.#takeWord("or")) parts.push(this.#and());
    return parts.length === 1 ? (parts[0] as string) : `(${parts.join(" or ")})`;
  }

  #and(): string {
    const parts = [this.#not()];
    while (this.#takeWord("and")) parts.push(this.#not());
    return parts.length === 1 ? (parts[0] as string) : `(${parts.join(" and ")})`;
  }

  #not(): string {
    if (++this.#depth > 100) throw new NotTranslatable();
    const sql = this.#takeWord("not") ? `not (${this.#not()})` : this.#predicate();
    this.#depth--;
    return sql;
  }

  #predicate(): string {
    // A bracket opens a condition, or an operand: the first that fits.
    if (isSymbol(this.#tokens[this.#at], "(")) {
      const start = this.#at++;
      try {
        const inner = this.#or();
        if (this.#takeSymbol(")") && !this.#isOperator()) return inner;
      } catch (error) {
        if (!(error instanceof NotTranslatable)) throw error;
      }
      this.#at = start;
    }
    if (isWord(this.#tokens[this.#at], "typeof")) return this.#typeOf();
    const left = this.#operand();
    if (this.#takeWord("is")) {
      const negated = this.#takeWord("not");
      if (!this.#takeWord("null")) throw new NotTranslatable();
      return `${left.sql} is ${negated ? "not " : ""}null`;
    }
    if (this.#takeWord("notnull")) return `${left.sql} is not null`;
    if (this.#takeWord("isnull")) return `${left.sql} is null`;
    const negated = this.#takeWord("not");
    if (this.#takeWord("in")) return this.#in(left, negated);
    if (this.#takeWord("between")) {
      const low = this.#operand();
      if (!this.#takeWord("and")) throw new NotTranslatable();
      const [from, to] = [compare(left, ">=", low), compare(left, "<=", this.#operand())];
      return `${negated ? "not " : ""}(${from} and ${to})`;
    }
    const operator = comparisons[this.#tokens[this.#at]?.value ?? ""];
    if (negated || operator === undefined || this.#tokens[this.#at]?.kind !== "symbol") throw new NotTranslatable();
    this.#at++;
    return compare(left, operator, this.#operand());
  }

  #in(left: Operand, negated: boolean): string {
    if (!this.#takeSymbol("(")) throw new NotTranslatable();
    const values: Operand[] = [];
    do values.push(this.#operand());
    while (this.#takeSymbol(","));
    if (!this.#takeSymbol(")") || values.some(({ literal }) => literal === undefined)) throw new NotTranslatable();
    if (left.kind === "boolean") {
      // The type itself allows no other values.
      const all = ["0", "1"].every((each) => values.some(({ literal }) => literal === each));
      if (!all || negated || values.length !== 2) throw new NotTranslatable();
      return "true";
    }
    requireComparable([left, ...values]);
    return `${left.sql} ${negated ? "not " : ""}in (${values.map(({ sql }) => sql).join(", ")})`;
  }

  /** `typeof(column) = 'integer'` says that the column is not null, if its type here has no other values. */
  #typeOf(): string {
    this.#at++;
    if (!this.#takeSymbol("(")) throw new NotTranslatable();
    const { column, sql } = this.#operand();
    const isEqual = this.#takeSymbol(")") && (this.#takeSymbol("=") || this.#takeSymbol("=="));
    const name = this.#tokens[this.#at++];
    if (!isEqual || column === undefined || name?.kind !== "text") throw new NotTranslatable();
    if (typeNames[column.family] !== name.value) throw new NotTranslatable();
    return `${sql} is not null`;
  }

  #operand(): Operand {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new NotTranslatable();
    if (isSymbol(token, "(")) {
      const inner = this.#operand();
      if (!this.#takeSymbol(")")) throw new NotTranslatable();
      return inner;
    }
    if (isSymbol(token, "-") || isSymbol(token, "+")) {
      const number = this.#operand();
      if (number.literal === undefined || number.kind !== "number") throw new NotTranslatable();
      return token.value === "+" ? number : { kind: "number", sql: `-${number.sql}`, literal: `-${number.literal}` };
    }
    if (token.kind === "number" && !/^0x/i.test(token.value))
      return { kind: "number", sql: token.value, literal: token.value };
    if (token.kind === "text") return { kind: "text", sql: sqlText(token.value), literal: token.value };
    if (isWord(token, "length") && isSymbol(this.#tokens[this.#at], "(")) return this.#length();
    if (token.kind !== "word" && token.kind !== "name") throw new NotTranslatable();
    if (isSymbol(this.#tokens[this.#at], "(") || isSymbol(this.#tokens[this.#at], ".")) throw new NotTranslatable();
    const column = this.#columns.get(token.value.toLowerCase());
    const kind = column && kindOf(column.family);
    if (column === undefined || kind === undefined) throw new NotTranslatable();
    return { kind, sql: identifier(column.target), column };
  }

  #length(): Operand {
    this.#at++;
    const { column, sql } = this.#operand();
    if (!this.#takeSymbol(")") || column?.family !== "text") throw new NotTranslatable();
    return { kind: "number", sql: `length(${sql})` };
  }

  #isOperator(): boolean {
    const token = this.#tokens[this.#at];
    if (token === undefined) return false;
    return !(isSymbol(token, ")") || isWord(token, "and") || isWord(token, "or"));
  }

  #takeWord(word: string): boolean {
    if (!isWord(this.#tokens[this.#at], word)) return false;
    this.#at++;
    return true;
  }

  #takeSymbol(symbol: string): boolean {
    if (!isSymbol(this.#tokens[this.#at], symbol)) return false;
    this.#at++;
    return true;
  }
}

function kindOf(family: Family): Kind | undefined {
  if (family === "boolean") return "boolean";
  if (family === "text") return "text";
  return ["integer", "numeric", "double"].includes(family) ? "number" : undefined;
}

function compare(left: Operand, operator: string, right: Operand): string {
  if (left.kind === "boolean" && operator === "=" && (right.literal === "0" || right.literal === "1"))
    return right.literal === "1" ? left.sql : `not ${left.sql}`;
  requireComparable([left, right]);
  const isOrder = left.kind === "text" && operator !== "=" && operator !== "<>";
  return `${left.sql}${isOrder ? ' collate "C"' : ""} ${operator} ${right.sql}`;
}

function requireComparable(operands: readonly Operand[]): void {
  const [first] = operands;
  if (first === undefined || first.kind === "boolean") throw new NotTranslatable();
  if (operands.some(({ kind }) => kind !== first.kind)) throw new NotTranslatable();
  if (first.kind === "text" && operands.some(({ column }) => column !== undefined && column.collation !== "BINARY"))
    throw new NotTranslatable();
}
