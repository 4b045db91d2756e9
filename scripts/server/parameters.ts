import type { QueryResultRow } from "pg";
import { formatQuantity, parseQuantity } from "./quantity.ts";

/** A setting as the running server knows it: a row of pg_settings. */
export interface Parameter {
  name: string;
  /** In the base unit, without it. */
  setting: string;
  /** Base unit (`kB`, `8kB`, `ms`, …); empty: none. */
  unit: string;
  /** When it can change: `postmaster` = at a start; `internal` = never; the others while the server runs. */
  context: string;
  vartype: "bool" | "integer" | "real" | "string" | "enum";
  min: string | null;
  max: string | null;
  choices: readonly string[] | null;
  /** The built-in value. */
  boot: string | null;
  /** Where the value comes from: `configuration file`, `default`, `database`, `client`, … */
  source: string;
  pendingRestart: boolean;
}

/** One line of a configuration file, in the order in which the server reads them: the last one of a name holds. */
export interface FileEntry {
  name: string;
  setting: string;
  file: string;
}

/** What a running server says of its settings. */
export interface ServerParameters {
  byName: ReadonlyMap<string, Parameter>;
  entries: readonly FileEntry[];
}

/** Who answers questions of a server: a client of it, or whatever asks it by other ways. */
export interface Asked {
  query<Row extends QueryResultRow>(sql: string): Promise<{ rows: Row[] }>;
}

/** @param client the superuser's: others are shown neither every setting nor the files */
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

/** Whether two texts are the same value to the server. Where that is not known for certain, only the same text is. */
export function isSameValue(parameter: Parameter, one: string, other: string): boolean {
  const value = (text: string) => canonicalValue(parameter, text) ?? text;
  return one === other || value(one) === value(other);
}

/** A value that stands for all its spellings; undefined: it is none that the setting can have, or cannot be told. */
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
      // Many take the words of a boolean, too, and do not list them.
      return chosen ?? choices.find((choice) => choice === truthOf(text));
    }
    case "string":
      return text;
  }
}

/** A raw value of pg_settings (`setting`, `boot`) as people write it. */
export function shownValue(parameter: Parameter, raw: string): string {
  const isNumber = parameter.vartype === "integer" || parameter.vartype === "real";
  if (isNumber && parameter.unit !== "" && /^\d+$/.test(raw)) return formatQuantity(Number(raw), parameter.unit);
  return raw === "" ? "''" : raw;
}

/** PostgreSQL's words for true and false, which may be cut short; undefined: neither. */
function truthOf(text: string): "on" | "off" | undefined {
  const given = text.trim().toLowerCase();
  if (given === "") return undefined;
  const begins = (word: string, least = 1) => given.length >= least && word.startsWith(given);
  if (begins("true") || begins("yes") || begins("on", 2) || given === "1") return "on";
  if (begins("false") || begins("no") || begins("off", 2) || given === "0") return "off";
  return undefined;
}
