import { createHash } from "node:crypto";
import type { Client } from "pg";
import { nearest } from "../core/nearest.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import type { ColumnMap, ImportMap, TableMap } from "./map.ts";
import { type RowReader, rowReader } from "./row-reader.ts";
import type { Source } from "./source/source.ts";
import { ownColumns, readTargetTables, type TargetColumn, type TargetTable } from "./target/target-table.ts";
import { type Codec, codecFor, type Notes } from "./values/codec.ts";
import { plainValue } from "./values/extended-json.ts";
import { type UuidMaker, uuidMaker } from "./values/key-uuid.ts";
import { mixedCodec } from "./values/mixed.ts";
import { isTimeZone } from "./values/timestamp.ts";
import { type Step, scalarValue, stepsOf } from "./values/transform.ts";
import { Problem, type Value } from "./values/value.ts";

/** One column of a table's plan. */
export interface ColumnPlan {
  target: TargetColumn;
  /** Name of the field in messages. */
  field: string;
  read: (row: unknown) => Value;
  steps: Step[];
  /** True if the last step makes a UUID of the value. */
  makesKey: boolean;
  codec: Codec;
  whenNull: Value;
  /** True if the import does not write the column. */
  computed: boolean;
  /** Reason why it is not compared; undefined if it is. */
  notCompared: string | undefined;
}

/** Plan of one entry of a map, checked against source and target. */
export interface TablePlan {
  /** From 1, in the order of the map. */
  number: number;
  entry: TableMap;
  table: TargetTable;
  columns: ColumnPlan[];
  /** Columns that identify a row. */
  key: string[];
  reader: RowReader;
  /** SHA-256 of what decides how a row of the source is converted. */
  sha256: string;
}

/** Returns true if the server has to check the column's values: their type is not one that the import writes itself. */
export function isServerChecked({ target }: ColumnPlan): boolean {
  return target.type.base === "other";
}

/** Returns true if the column's type is a domain, whose checks the server has to evaluate. */
export function isDomain({ type }: TargetColumn): boolean {
  return type.name !== type.stored;
}

/**
 * Returns true if the staged rows have the value that a column of the target will have: it is mapped, generated, or has
 * a default that no trigger can replace.
 */
export function isStaged({ columns, table }: TablePlan, name: string): boolean {
  if (columns.some(({ target }) => target.name === name)) return true;
  const column = table.columns.find((each) => each.name === name);
  if (column === undefined || table.triggers.length > 0) return false;
  return column.generated || (column.hasDefault ? column.constantDefault : column.identity === "");
}

/**
 * Returns true if the staged rows have every value that the rows of the target will have, unless a trigger changes it.
 * A default such as now() gives the stage another value.
 */
export function isWholeRowStaged({ columns, table }: TablePlan): boolean {
  return table.columns.every(({ name, generated, hasDefault, identity }) => {
    const mapped = columns.find(({ target }) => target.name === name);
    return mapped === undefined ? !generated && !hasDefault && identity === "" : !mapped.computed;
  });
}

/** Returns true if only the server can compare keys of the table. */
export function isKeyServerChecked({ key, columns }: Pick<TablePlan, "key" | "columns">): boolean {
  return columns.some((column) => key.includes(column.target.name) && isServerChecked(column));
}

/** A map that was checked against its source and target. */
export interface ImportPlan {
  map: ImportMap;
  /** SHA-256 of the map. */
  sha256: string;
  tables: TablePlan[];
  /** Table of the audit row, qualified and quoted. */
  auditTable: string | undefined;
  /** Counts of values whose form changed, by text. */
  notes: Map<string, number>;
}

/** Namespace of the namespaces that belong to databases. */
const kitNamespace = "5f0f3c36-6b53-5f0e-9d0b-2b3f0b7a4c11";

/**
 * Checks a map against source and target.
 *
 * @throws OperationError (wrong usage) that lists all errors
 */
export async function planImport(
  client: Client,
  source: Source,
  map: ImportMap,
  database: string,
): Promise<ImportPlan> {
  const makeUuid = uuidMaker(map.namespace ?? uuidMaker(kitNamespace)(database));
  const names = map.tables.map(({ to }) => to);
  const tables = await readTargetTables(client, [...names, ...(map.audit === undefined ? [] : [map.audit.table])]);
  const counts = new Map<string, number>();
  const faults: string[] = [];
  const plans = map.tables.flatMap((entry, index) => {
    const where = `${entry.from} -> ${entry.to}`;
    const found = planTable(entry, tables.get(entry.to), source, makeUuid, counts);
    faults.push(...found.faults.map((fault) => `- ${where}: ${fault}`));
    const sha256 = digestOf([map.namespace ?? database, entry]);
    return found.plan === undefined ? [] : [{ ...found.plan, number: index + 1, sha256 }];
  });
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  for (const name of new Set(twice))
    faults.push(`- ${name}: two entries write to it; use one with a query or one file`);
  if (map.missing === "delete" && map.existing !== "merge")
    faults.push('- missing: "delete" needs existing: "merge", because only a merge knows what earlier imports wrote');
  faults.push(...auditFaults(map, tables));
  if (faults.length > 0) {
    throw new OperationError([`The map does not fit (${faults.length} errors):`, ...faults].join("\n"), {
      hint: "Correct the map. Nothing was imported.",
      exitCode: exitCode.usage,
    });
  }
  return {
    map,
    sha256: digestOf(map),
    tables: plans,
    auditTable: map.audit && tables.get(map.audit.table)?.name,
    notes: counts,
  };
}

function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

function auditFaults({ audit }: ImportMap, tables: ReadonlyMap<string, TargetTable>): string[] {
  if (audit === undefined) return [];
  const table = tables.get(audit.table);
  if (table === undefined) return [`- audit: the target has no table "${audit.table}"`];
  return Object.keys(audit.values)
    .filter((name) => !table.columns.some((column) => column.name === name))
    .map((name) => `- audit: ${table.name} has no column "${name}"`);
}

interface Planned {
  faults: string[];
  plan?: Omit<TablePlan, "number" | "sha256">;
}

function planTable(
  entry: TableMap,
  table: TargetTable | undefined,
  source: Source,
  makeUuid: UuidMaker,
  counts: Map<string, number>,
): Planned {
  const faults: string[] = [];
  const fields = source.fields(entry);
  if ("fault" in fields) faults.push(fields.fault);
  if (table === undefined) faults.push(`the target has no table "${entry.to}"`);
  else if (!table.insertable) faults.push(`this login may not insert into ${table.name}`);
  if ("fault" in fields || table === undefined) return { faults };
  const reader = rowReader(entry, fields);
  if (reader instanceof Problem) return { faults: [...faults, reader.reason] };
  const columns: ColumnPlan[] = [];
  for (const [name, given] of Object.entries(entry.columns)) {
    const column: Exclude<ColumnMap, string> = typeof given === "string" ? { from: given } : given;
    const target = table.columns.find((each) => each.name === name);
    const fault = columnFault(name, column, target, table) ?? zoneFault(column);
    if (fault !== undefined || target === undefined) {
      faults.push(`column ${name}: ${fault}`);
      continue;
    }
    const read =
      column.value === undefined ? reader.field(column.from ?? "") : constantReader(scalarValue(column.value));
    if (read === undefined) {
      faults.push(`column ${name}: ${unknownField(entry, column.from ?? "", fields.names)}`);
      continue;
    }
    const notes = notesOf(`${entry.to}.${name}`, counts);
    columns.push({
      target,
      field: column.from ?? "(constant)",
      // Only json keeps the objects of Extended JSON.
      read: source.kind === "json" && !/^jsonb?$/.test(target.type.base) ? (row) => plainValue(read(row)) : read,
      steps: stepsOf(column, makeUuid),
      makesKey: column.key !== undefined,
      codec:
        column.as?.kind === "mixed" && source.kind === "sqlite"
          ? mixedCodec
          : codecFor(target.type, column.as?.kind === "timestamp" ? column.as : {}, notes),
      whenNull: column.whenNull === undefined ? null : scalarValue(column.whenNull),
      computed: column.computed ?? false,
      notCompared: column.notCompared,
    });
  }
  for (const { name } of table.columns)
    if ((ownColumns as readonly string[]).includes(name))
      faults.push(`column ${name}: the import uses this name itself; give the column of the target another name`);
  faults.push(...missingColumns(table, entry));
  for (const name of entry.orderBy ?? [])
    if (!columns.some(({ target }) => target.name === name)) faults.push(`orderBy: ${name} is no column of the entry`);
  const key = keyOf(table, columns);
  if (key === undefined)
    faults.push(`${entry.to} needs a primary key, or a unique key on required columns, that the entry fills`);
  return faults.length > 0 || key === undefined ? { faults } : { faults, plan: { entry, table, columns, key, reader } };
}

/** Returns the notes of a column. A note is counted for millions of values, so its whole text is made once. */
function notesOf(subject: string, counts: Map<string, number>): Notes {
  const texts = new Map<string, string>();
  return {
    count: (note) => {
      let text = texts.get(note);
      if (text === undefined) {
        text = `${subject}: ${note}`;
        texts.set(note, text);
      }
      counts.set(text, (counts.get(text) ?? 0) + 1);
    },
  };
}

function constantReader(value: Value): () => Value {
  return () => value;
}

function columnFault(
  name: string,
  { from, value, key, as, computed }: Exclude<ColumnMap, string>,
  target: TargetColumn | undefined,
  table: TargetTable,
): string | undefined {
  if (target === undefined) {
    const near = nearest(
      name,
      table.columns.map((column) => column.name),
    );
    return `${table.name} has no such column${near === undefined ? "" : `; is it "${near}"?`}`;
  }
  if ((from === undefined) === (value === undefined)) return 'needs either "from" or "value"';
  if (target.generated && computed !== true)
    return "the target generates it; leave it out, or set computed to compare it";
  if (target.identity === "a" && computed !== true) return "it is GENERATED ALWAYS AS IDENTITY; map another key";
  if (key !== undefined && !["uuid", "text", "varchar"].includes(target.type.base))
    return `"key" makes a UUID, and the column is ${target.type.name}`;
  return as === undefined ? undefined : clashOf(as.kind, target);
}

/** Types that each transform can fill. */
const fits: Readonly<Record<string, RegExp>> = {
  timestamp: /^(date|timestamp|timestamptz)$/,
  boolean: /^bool$/,
  scaled: /^(int[248]|numeric|float[48])$/,
  json: /^jsonb?$/,
  mixed: /^jsonb$/,
  list: /^(array|jsonb?)$/,
  text: /^(text|varchar|bpchar|uuid|date|time|timestamp|timestamptz|other)$/,
};

function clashOf(kind: string, { type }: TargetColumn): string | undefined {
  const fitting = fits[kind];
  return fitting === undefined || fitting.test(type.base) ? undefined : `${kind} does not fit the type ${type.name}`;
}

function zoneFault({ as }: Exclude<ColumnMap, string>): string | undefined {
  if (as?.kind !== "timestamp" || as.zone === undefined || isTimeZone(as.zone)) return undefined;
  return `the time zone ${as.zone} is not known`;
}

function unknownField(entry: TableMap, name: string, names: readonly string[] | "any"): string {
  if (names === "any") return `"${name}" is no path`;
  const near = nearest(name, names);
  return `${entry.from} has no column "${name}"${near === undefined ? "" : `; is it "${near}"?`}`;
}

function missingColumns(table: TargetTable, { columns }: TableMap): string[] {
  return table.columns
    .filter(
      ({ name, notNull, hasDefault, generated, identity }) =>
        notNull && !hasDefault && !generated && identity === "" && !Object.hasOwn(columns, name),
    )
    .map(({ name }) => `column ${name} is required and not mapped; map it, or set computed if a trigger fills it`);
}

/** Returns the columns that identify a row: the primary key, else a unique key on required columns. */
function keyOf({ uniques, columns: all }: TargetTable, columns: readonly ColumnPlan[]): string[] | undefined {
  const isFilled = (name: string) => columns.some(({ target, computed }) => target.name === name && !computed);
  const isRequired = (name: string) =>
    all.some((column) => column.name === name && column.notNull && !column.type.base.startsWith("float"));
  return (
    uniques.find(
      ({ columns: names, condition }) =>
        condition === null && names?.every((name) => isFilled(name) && isRequired(name)),
    )?.columns ?? undefined
  );
}
