import { isSymbol, tokensOf } from "../source/sqlite/ddl-tokens.ts";
import { parseJson } from "../values/json-parser.ts";
import { microsOfText } from "../values/timestamp.ts";
import { Problem } from "../values/value.ts";
import type { ChosenType, Family } from "./choose-type.ts";
import { sqlText } from "./sql-text.ts";

/** Default that no column needs: it is what a column without one has. */
const none = "null";
const now = "now() at time zone 'UTC'";

/** SQL for SQLite's expressions of the present time, by family. They are in UTC, with whole seconds. */
const presents: Readonly<Record<string, Partial<Record<Family, string>>>> = {
  timestamp: {
    timestamptz: "date_trunc('second', now())",
    timestamp: `date_trunc('second', ${now})`,
    date: `(${now})::date`,
    text: `to_char(${now}, 'YYYY-MM-DD HH24:MI:SS')`,
  },
  date: { date: `(${now})::date`, text: `to_char(${now}, 'YYYY-MM-DD')` },
  time: { time: `(date_trunc('second', ${now}))::time`, text: `to_char(${now}, 'HH24:MI:SS')` },
  epoch: { integer: "extract(epoch from date_trunc('second', now()))::bigint" },
};

const presentNames: Readonly<Record<string, string>> = {
  current_timestamp: "timestamp",
  "datetime('now')": "timestamp",
  current_date: "date",
  "date('now')": "date",
  current_time: "time",
  "time('now')": "time",
  "strftime('%s','now')": "epoch",
  "unixepoch()": "epoch",
  "unixepoch('now')": "epoch",
};

/**
 * Translates a default of SQLite for a column of a type.
 *
 * @returns SQL; `null` if the column needs none; undefined if it cannot be translated
 */
export function translateDefault(expression: string, type: ChosenType): string | null | undefined {
  const given = unbracketed(expression.trim());
  const present = presentNames[given.toLowerCase().replaceAll(/\s+/g, "")];
  if (present !== undefined) return presents[present]?.[type.family];
  const tokens = tokensOf(given);
  const sign = tokens[0]?.kind === "symbol" && /^[+-]$/.test(tokens[0].value) ? tokens.shift()?.value : "";
  const [token] = tokens;
  if (token === undefined || tokens.length > 1) return undefined;
  if (token.kind === "number") return ofNumber(`${sign === "-" ? "-" : ""}${token.value}`, type);
  if (sign !== "") return undefined;
  if (token.kind === "blob") return type.family === "bytea" ? `'\\x${token.value}'` : undefined;
  if (token.kind === "word" && token.value === none) return null;
  if (token.kind === "word" && (token.value === "true" || token.value === "false"))
    return ofNumber(token.value === "true" ? "1" : "0", type);
  // SQLite takes a name in double quotes for a text here.
  return token.kind === "text" || token.kind === "name" ? ofText(token.value, type) : undefined;
}

/** Removes brackets around a whole expression. */
function unbracketed(text: string): string {
  let inner = text;
  while (isBracketed(inner)) inner = inner.slice(1, -1).trim();
  return inner;
}

function isBracketed(text: string): boolean {
  const tokens = tokensOf(text);
  if (!isSymbol(tokens[0], "(")) return false;
  let depth = 0;
  const close = tokens.findIndex((token) => {
    if (isSymbol(token, "(")) depth++;
    if (isSymbol(token, ")")) depth--;
    return depth === 0;
  });
  return close === tokens.length - 1;
}

function ofNumber(text: string, { family, sql }: ChosenType): string | undefined {
  if (/^-?0x/i.test(text)) return family === "integer" ? String(BigInt.asIntN(64, hexOf(text))) : undefined;
  if (family === "boolean") return text === "0" || text === "1" ? String(text === "1") : undefined;
  // Text affinity keeps the text of an integer, but not that of a real.
  if (family === "text") return /^-?\d+$/.test(text) && sql === "text" ? sqlText(text) : undefined;
  if (family === "integer") return /^-?\d{1,18}$/.test(text) ? text : undefined;
  return family === "numeric" || family === "double" ? text : undefined;
}

function hexOf(text: string): bigint {
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
}

function ofText(text: string, { family, sql }: ChosenType): string | undefined {
  const length = Number(/\((\d+)\)/.exec(sql)?.[1] ?? Number.POSITIVE_INFINITY);
  switch (family) {
    case "text":
      return text.includes("\0") || [...text].length > length ? undefined : sqlText(text);
    case "integer":
    case "boolean":
      // The column's affinity makes a number of it.
      return /^-?\d{1,18}$/.test(text) ? ofNumber(text, { family, sql, unsure: [] }) : undefined;
    case "numeric":
    case "double":
      return /^-?\d+(\.\d+)?$/.test(text) ? text : undefined;
    case "json":
      return parseJson(text) instanceof Problem ? undefined : sqlText(text);
    case "date":
      return /^\d{4}-\d\d-\d\d$/.test(text) && isTime(text) ? sqlText(text) : undefined;
    case "timestamp":
      return /^\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?$/.test(text) && isTime(text) ? sqlText(text) : undefined;
    default:
      return undefined;
  }
}

function isTime(text: string): boolean {
  return !(microsOfText(text, {}) instanceof Problem);
}
