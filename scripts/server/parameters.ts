import type { QueryResultRow } from "pg";
import { formatQuantity, parseQuantity } from "./quantity.ts";

/** A setting of the running server: a row of pg_settings. */
export interface Parameter {
  name: string;
  /** Value in the base unit, without the unit. */
  setting: string;
  /** Base unit (`kB`, `8kB`, `ms`, …). Empty if there is none. */
  unit: string;
  /** Time at which it can change: `postmaster` at a start, `internal` never, the others while the server runs. */
  context: string;
  vartype: "bool" | "integer" | "real" | "string" | "enum";
  min: string | null;
  max: string | null;
  choices: readonly string[] | null;
  /** Built-in default. */
  boot: string | null;
  /** Source of the value: `configuration file`, `default`, `database`, `client`, … */
  source: string;
  pendingRestart: boolean;
}

/** One line of a configuration file, in the order in which the server reads them. The last line of a name wins. */
export interface FileEntry {
  name: string;
  setting: string;
  file: string;
}

/** Settings of a running server, and the lines of its configuration files. */
export interface ServerParameters {
  byName: ReadonlyMap<string, Parameter>;
  entries: readonly FileEntry[];
}

/** Executes queries on a server: a client, or another way to query it. */
export interface Asked {
  query<Row extends QueryResultRow>(sql: string): Promise<{ rows: Row[] }>;
}

/**
 * Reads the settings of a running server.
 *
 * @param client session of the superuser; other roles see neither all settings nor the files
 */
export async function readParameters(client: Asked): Promise<ServerParameters> {
  const parameters = await client.query<Parameter & QueryResultRow>(
    `SELECT lower(name) AS name, coalesce(setting, '') AS setting, coalesce(unit, '') AS unit, context, vartype,
            min_val AS min, max_val AS max, enumvals AS choices, boot_val AS boot, source,
            pending_restart AS "pendingRestart"
       FROM pg_settings`,
  );
  const entries = await client.query<FileEntry & QueryResultRow>(
    `SELECT lower(name) AS name, coalesce(setting, '') AS setting, coalesce(sourcefile, '') AS file
       FROM pg_file_settings WHERE name IS NOT NULL ORDER BY seqno`,
  );
  return { byName: new Map(parameters.rows.map((row) => [row.name, row])), entries: entries.rows };
}

/** Returns true if the server treats two texts as the same value. If that is uncertain, only identical texts are. */
export function isSameValue(parameter: Parameter, one: string, other: string): boolean {
  const value = (text: string) => canonicalValue(parameter, text) ?? text;
  return one === other || value(one) === value(other);
}

/**
 * Returns one spelling for all spellings of a value. Returns undefined if the value is invalid, or if its validity is
 * unknown.
 */
export function canonicalValue(parameter: Parameter, text: string): string | undefined {
  switch (parameter.vartype) {
    case "bool":
      return truthOf(text);
    case "integer":
    case "real":
      return parseQuantity(text, parameter.unit, parameter.vartype === "integer")?.toString();
    case "enum": {
      const choices = parameter.choices ?? [];
      const given = text.toLowerCase();
      const chosen = choices.find((choice) => choice.toLowerCase() === given);
      // Many also accept the words of a boolean without listing them.
      return chosen ?? choices.find((choice) => choice === truthOf(text));
    }
    case "string":
      return text;
  }
}

/** Formats a raw value of pg_settings (`setting`, `boot`) for people. */
export function shownValue(parameter: Parameter, raw: string): string {
  const isNumber = parameter.vartype === "integer" || parameter.vartype === "real";
  if (isNumber && parameter.unit !== "" && /^\d+$/.test(raw)) return formatQuantity(Number(raw), parameter.unit);
  return raw === "" ? "''" : raw;
}

/** Parses PostgreSQL's words for true and false, which may be abbreviated. Returns undefined for other words. */
function truthOf(text: string): "on" | "off" | undefined {
  const given = text.trim().toLowerCase();
  if (given === "") return undefined;
  const begins = (word: string, least = 1) => given.length >= least && word.startsWith(given);
  if (begins("true") || begins("yes") || begins("on", 2) || given === "1") return "on";
  if (begins("false") || begins("no") || begins("off", 2) || given === "0") return "off";
  return undefined;
}
