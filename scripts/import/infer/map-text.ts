import type { Proposal } from "./proposal.ts";
import { commentText } from "./sql-text.ts";

/**
 * Writes the map of a proposal as the text of a file. A TypeScript or JavaScript file has what to check as comments.
 *
 * @param ending of the file: `ts`, `mjs` or `json`
 */
export function mapText({ map, unsure }: Pick<Proposal, "map" | "unsure">, ending: "ts" | "mjs" | "json"): string {
  if (ending === "json") return `${new Printer(true).print(map)}\n`;
  const notes = unsure.map((each) => ` * - ${commentText(each).replaceAll("*/", "* /")}`);
  const head = ["/*", " * Proposed by `pgw import … --infer`. Check it before you use it again."];
  if (notes.length > 0) head.push(" *", " * Not certain:", ...notes);
  head.push(" */");
  const type = ending === "ts" ? ["", 'import type { ImportMap } from "pgroundwork";'] : [];
  const annotation =
    ending === "ts" ? "const map: ImportMap = " : "/** @type {import('pgroundwork').ImportMap} */\nconst map = ";
  return [
    ...head,
    ...type,
    "",
    `${annotation}${new Printer(false).print(map, 0, annotation.length)};`,
    "",
    "export default map;",
    "",
  ].join("\n");
}

/** Longest line of a written map, and the columns by which a level is indented. */
const [lineWidth, indentWidth] = [120, 2];

/**
 * Writes values as Biome and Prettier format them: in one line what is short and belongs together, and in JavaScript
 * names without quotes where they need none, and trailing commas.
 */
class Printer {
  readonly #isJson: boolean;

  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  /**
   * @param before columns of the line before the value
   */
  print(value: unknown, indent = 0, before = 0): string {
    const line = this.#inOneLine(value);
    if (line !== undefined && before + line.length < lineWidth) return line;
    const inner = indent + indentWidth;
    const [pad, isList] = [" ".repeat(inner), Array.isArray(value)];
    const lines = Object.entries(value as object).map(([name, each]) => {
      const head = isList ? pad : `${pad}${this.#name(name)}: `;
      return head + this.print(each, inner, head.length);
    });
    const [open, close] = isList ? "[]" : "{}";
    return `${open}\n${lines.join(",\n")}${this.#isJson ? "" : ","}\n${" ".repeat(indent)}${close}`;
  }

  /** Returns undefined for lists of objects, and for objects other than a column with its source and transform. */
  #inOneLine(value: unknown): string | undefined {
    if (typeof value !== "object" || value === null) return this.#primitive(value);
    const entries = Object.entries(value);
    if (entries.length === 0) return Array.isArray(value) ? "[]" : "{}";
    if (Array.isArray(value)) {
      if (value.some((each) => typeof each === "object" && each !== null)) return undefined;
      return `[${value.map((each) => this.#primitive(each)).join(", ")}]`;
    }
    if (this.#isJson || !("from" in value || "kind" in value)) return undefined;
    const parts = entries.map(([name, each]) => [this.#name(name), this.#inOneLine(each)]);
    if (parts.some(([, text]) => text === undefined)) return undefined;
    return `{ ${parts.map((part) => part.join(": ")).join(", ")} }`;
  }

  #name(name: string): string {
    return !this.#isJson && /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? name : this.#primitive(name);
  }

  /** Quotes a text so that fewer characters need a backslash. */
  #primitive(value: unknown): string {
    const text = JSON.stringify(value);
    if (this.#isJson || typeof value !== "string") return text;
    const count = (quote: string) => value.split(quote).length;
    if (count('"') <= count("'")) return text;
    return `'${text.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
  }
}
