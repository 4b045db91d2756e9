import { printable, quoted, shown } from "./shown.ts";
import { JsonNumber, type JsonObject, Problem, type Value } from "./value.ts";

/*
 * A strict JSON parser. JSON.parse rounds numbers, moves keys such as "1" to the front, and keeps the last of duplicate
 * keys without a word; libraries that keep numbers accept duplicates and overflow the stack on deep nesting.
 */

/** Deepest nesting that is read. */
const mostDepth = 500;

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const spacePattern = /[ \t\n\r]*/y;
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** Parses a text as one JSON value. */
export function parseJson(text: string): Value | Problem {
  try {
    return new Parser(text).parse();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

class Parser {
  readonly #text: string;
  #at = 0;
  #path: (string | number)[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Value {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#fail("text after the value");
    return value;
  }

  #value(): Value {
    this.#space();
    const character = this.#text[this.#at];
    switch (character) {
      case "{":
        return this.#object();
      case "[":
        return this.#array();
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(): JsonObject {
    const object: JsonObject = new Map();
    this.#enter();
    if (this.#take("}")) return object;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail("expected a name in quotes");
      const name = this.#string();
      if (object.has(name)) this.#fail(`the name ${quoted(name)} occurs twice in one object`);
      if (!this.#take(":")) this.#fail('expected ":"');
      this.#path.push(name);
      object.set(name, this.#value());
      this.#path.pop();
    } while (this.#take(","));
    if (!this.#take("}")) this.#fail('expected "," or "}"');
    return object;
  }

  #array(): Value[] {
    const array: Value[] = [];
    this.#enter();
    if (this.#take("]")) return array;
    do {
      this.#path.push(array.length);
      array.push(this.#value());
      this.#path.pop();
    } while (this.#take(","));
    if (!this.#take("]")) this.#fail('expected "," or "]"');
    return array;
  }

  #enter(): void {
    if (this.#path.length >= mostDepth) this.#fail(`nested deeper than ${mostDepth} levels`);
    this.#at++;
  }

  #string(): string {
    const start = ++this.#at;
    let result = "";
    let from = start;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 34) break;
      if (code === 92) {
        result += this.#text.slice(from, this.#at) + this.#escape();
        from = this.#at;
      } else if (Number.isNaN(code)) this.#fail("the text ends within a string");
      else if (code < 32) this.#fail("a control character within a string");
      else this.#at++;
    }
    result += this.#text.slice(from, this.#at++);
    return result;
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? "";
    if (letter === "u") {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[\da-fA-F]{4}$/.test(digits)) this.#fail("\\u needs four hex digits");
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const character = escapes[letter];
    if (character === undefined) this.#fail(`unknown escape \\${printable(letter)}`);
    this.#at += 2;
    return character as string;
  }

  #number(): JsonNumber {
    numberPattern.lastIndex = this.#at;
    const text = numberPattern.exec(this.#text)?.[0];
    if (text === undefined) {
      const found = /^[\w.+-]{1,20}/.exec(this.#text.slice(this.#at, this.#at + 20))?.[0] ?? this.#text[this.#at];
      this.#fail(found === undefined ? "the text ends before its value" : `${JSON.stringify(found)} is no value`);
    }
    this.#at += (text as string).length;
    return new JsonNumber(text as string);
  }

  #word<T extends Value>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail(`expected ${word}`);
    this.#at += word.length;
    return value;
  }

  #take(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    const code = this.#text.charCodeAt(this.#at);
    if (code > 32) return;
    spacePattern.lastIndex = this.#at;
    spacePattern.exec(this.#text);
    this.#at = spacePattern.lastIndex;
  }

  #fail(reason: string): never {
    const line = this.#text.slice(0, this.#at).split("\n").length;
    const path = this.#path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
    throw new JsonProblem(reason, Buffer.byteLength(this.#text.slice(0, this.#at)), line, path);
  }
}

/** A fault of a JSON text, with its place. */
export class JsonProblem extends Problem {
  /** Offset in bytes, from 0. */
  readonly offset: number;
  /** From 1. */
  readonly line: number;
  /** Such as `.user.tags[3]`; empty at the top. */
  readonly path: string;

  constructor(fault: string, offset: number, line: number, path: string) {
    super(`${fault} (byte ${offset}, line ${line}${path === "" ? "" : `, path ${shown(path)}`})`);
    this.offset = offset;
    this.line = line;
    this.path = path;
  }
}
