import type { ColumnMap } from "../map.ts";
import type { DeclaredColumn, DeclaredSchema, DeclaredTable } from "../source/schema.ts";
import type { Source } from "../source/source.ts";
import type { Value } from "../values/value.ts";
import { type ChosenType, chooseType } from "./choose-type.ts";
import type { CreatedColumn, CreatedTable } from "./created-table.ts";
import { addIndexes } from "./infer-indexes.ts";
import { addForeignKeys } from "./infer-references.ts";
import {
  type InferProgress,
  type InferredTable,
  keyBytes,
  mostKeyBytes,
  namedColumns,
  tableName,
} from "./inferred-table.ts";
import { Names } from "./names.ts";
import { ColumnProfile } from "./profile.ts";
import type { Proposal } from "./proposal.ts";
import { translateCondition } from "./translate-check.ts";
import { translateDefault } from "./translate-default.ts";

/** Most columns of a table in PostgreSQL. */
const mostColumns = 1_600;

/** Reads all values of a table. */
export async function profileTable(
  source: Source,
  table: DeclaredTable,
  onProgress: InferProgress,
  signal?: AbortSignal,
): Promise<Map<string, ColumnProfile>> {
  const profiles = table.columns.map(({ type }) => new ColumnProfile({ checkJson: /JSON/i.test(type) }));
  for await (const rows of source.rows({ to: "", from: table.name, columns: {} }, { signal })) {
    for (const { ordinal, row } of rows)
      for (const [index, profile] of profiles.entries()) profile.add((row as Value[])[index] ?? null, ordinal);
    onProgress(table.name, rows.at(-1)?.ordinal ?? 0);
  }
  return new Map(table.columns.map(({ name }, index) => [name, profiles[index] as ColumnProfile]));
}

/**
 * Proposes tables that hold all values of a SQLite database exactly, and the map that fills them.
 *
 * @param taken names that the created relations must not have
 */
export async function inferFromSqlite(
  source: Source,
  schema: DeclaredSchema,
  taken: readonly string[],
  onProgress: InferProgress,
  signal?: AbortSignal,
): Promise<Proposal> {
  const names = new Names("relations", taken);
  const proposal: Proposal = { map: { tables: [] }, tables: [], unsure: [], leftOut: [] };
  proposal.leftOut.push(...source.notImported);
  const keyColumns = keyColumnsOf(schema);
  const inferred: InferredTable[] = [];
  for (const declared of schema.tables) {
    if (declared.columns.length >= mostColumns) {
      proposal.leftOut.push(`table ${declared.name}: PostgreSQL's tables have at most ${mostColumns} columns`);
      continue;
    }
    const profiles = await profileTable(source, declared, onProgress, signal);
    const table = inferTable(declared, profiles, keyColumns.get(declared.name) ?? new Set(), names, proposal);
    if (table !== undefined) inferred.push(table);
  }
  for (const table of inferred) addIndexes(table, names, proposal);
  addForeignKeys(inferred, schema, proposal);
  proposal.unsure.push(...names.renamed);
  proposal.tables = inferred.map(({ created }) => created);
  proposal.map = { tables: inferred.map(({ entry }) => entry) };
  return proposal;
}

/** Names the columns of each table whose values have to stay different, or equal to those of another column. */
function keyColumnsOf({ tables }: DeclaredSchema): Map<string, Set<string>> {
  const keys = new Map(tables.map(({ name, primaryKey }) => [name, new Set(primaryKey)]));
  for (const { name, indexes, foreignKeys } of tables) {
    for (const { isUnique, parts } of indexes)
      if (isUnique) for (const { column } of parts) if (column !== undefined) keys.get(name)?.add(column);
    for (const { columns, parent, parentColumns } of foreignKeys) {
      for (const column of columns) keys.get(name)?.add(column);
      for (const column of parentColumns) keys.get(parent)?.add(column);
    }
  }
  return keys;
}

function inferTable(
  declared: DeclaredTable,
  profiles: ReadonlyMap<string, ColumnProfile>,
  keyColumns: ReadonlySet<string>,
  names: Names,
  proposal: Proposal,
): InferredTable | undefined {
  const { name } = declared;
  const rowNumber = usableKey(declared, profiles) ? undefined : declared.rowNumber;
  if (rowNumber === undefined && !usableKey(declared, profiles)) {
    proposal.leftOut.push(`table ${name}: it has no key that PostgreSQL can index`);
    return undefined;
  }
  const columnNames = new Names("columns");
  const columns = new Map<string, CreatedColumn>();
  const entryColumns: Record<string, ColumnMap> = {};
  for (const column of declared.columns) {
    const profile = profiles.get(column.name) as ColumnProfile;
    const isKey = keyColumns.has(column.name);
    const created = inferColumn(declared, column, profile, isKey, proposal);
    created.name = columnNames.give(column.name, `column ${name}.${column.name}`);
    columns.set(column.name, created);
    const { as } = created.type;
    entryColumns[created.name] = as === undefined ? column.name : { from: column.name, as };
  }
  const list = [...columns.values()];
  let primaryKey = declared.primaryKey.map((column) => columns.get(column)?.name ?? column);
  if (rowNumber !== undefined) {
    const target = columnNames.give(rowNumber, `the row number of ${name}`);
    list.unshift({ name: target, type: rowNumberType, notNull: false, defaultSql: undefined, isNumbered: true });
    entryColumns[target] = rowNumber;
    primaryKey = [target];
    if (declared.primaryKey.length > 0) proposal.leftOut.push(`${name}: ${whyNoKey(declared, profiles)}`);
    proposal.unsure.push(`${name}: the column ${target} is added, with SQLite's row number, because rows need a key`);
  }
  proposal.unsure.push(...columnNames.renamed);
  const target = names.give(name, `table ${name}`);
  const created: CreatedTable = {
    name: target,
    columns: list,
    primaryKey,
    uniques: [],
    checks: inferChecks(declared, columns, proposal),
    indexes: [],
    foreignKeys: [],
  };
  return { declared, created, entry: { to: tableName(target), from: name, columns: entryColumns }, profiles, columns };
}

const rowNumberType: ChosenType = { family: "integer", sql: "bigint", unsure: [] };

function inferColumn(
  { name: table, numbered, primaryKey }: DeclaredTable,
  column: DeclaredColumn,
  profile: ColumnProfile,
  isKey: boolean,
  { unsure, leftOut }: Proposal,
): CreatedColumn {
  const where = `${table}.${column.name}`;
  const type = chooseType(profile, column.type, isKey);
  unsure.push(...type.unsure.map((text) => `${where}: ${text}`));
  if (column.generated !== null)
    leftOut.push(`${where}: the expression of a generated column, ${column.generated}; its values are imported`);
  const hasNulls = profile.nulls > 0;
  if (column.notNull && hasNulls && !primaryKey.includes(column.name))
    leftOut.push(`${where}: NOT NULL, because ${profile.nulls} rows have no value`);
  let defaultSql: string | null | undefined;
  if (column.defaultValue !== null && column.generated === null) {
    defaultSql = translateDefault(column.defaultValue, type);
    if (defaultSql === undefined) leftOut.push(`${where}: the default ${column.defaultValue} of ${type.sql}`);
  }
  return {
    name: column.name,
    type,
    notNull: column.notNull && !hasNulls,
    defaultSql: defaultSql ?? undefined,
    isNumbered: column.name === numbered,
  };
}

/** Returns true if the primary key has a value in each row, and an index can hold it. */
function usableKey({ primaryKey }: DeclaredTable, profiles: ReadonlyMap<string, ColumnProfile>): boolean {
  if (primaryKey.length === 0) return false;
  const keys = primaryKey.map((name) => profiles.get(name) as ColumnProfile);
  return keys.every(({ nulls }) => nulls === 0) && keyBytes(keys) <= mostKeyBytes;
}

function whyNoKey({ primaryKey }: DeclaredTable, profiles: ReadonlyMap<string, ColumnProfile>): string {
  const keys = primaryKey.map((name) => profiles.get(name) as ColumnProfile);
  const nulls = keys.reduce((sum, profile) => sum + profile.nulls, 0);
  const why = nulls > 0 ? `${nulls} rows have no value in it` : "its values are too long for an index";
  return `the primary key (${primaryKey.join(", ")}), because ${why}`;
}

function inferChecks(
  declared: DeclaredTable,
  columns: ReadonlyMap<string, CreatedColumn>,
  { leftOut }: Proposal,
): string[] {
  const named = namedColumns(declared, columns);
  return declared.checks.flatMap((check) => {
    const translated = translateCondition(check, named);
    if (translated === undefined) leftOut.push(`${declared.name}: check (${check})`);
    return translated === undefined || translated === "true" ? [] : [translated];
  });
}
