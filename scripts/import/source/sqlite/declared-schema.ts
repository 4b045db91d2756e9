import type { Database } from "better-sqlite3";
import type { DeclaredColumn, DeclaredForeignKey, DeclaredIndex, DeclaredSchema, DeclaredTable } from "../schema.ts";
import { readIndexCondition, readTableText } from "./ddl-tokens.ts";

/** A table of the file, as the source lists it. */
interface Listed {
  name: string;
  type: string;
}

/** A column as `pragma table_xinfo` describes it. */
interface ColumnRow {
  name: string;
  type: string;
  notnull: number;
  dflt_value: string | null;
  pk: number;
  hidden: number;
}

/**
 * Reads the schema that a SQLite file declares.
 *
 * @param tables the tables that can be imported
 * @param rowNumberOf returns the name of a table's row number, if that can be read
 */
export function readDeclaredSchema(
  database: Database,
  tables: readonly Listed[],
  rowNumberOf: (table: string) => string | undefined,
): DeclaredSchema {
  const views = database.prepare("select name from sqlite_schema where type = 'view' order by name").pluck();
  const declared = tables.map((table) => readTable(database, table, rowNumberOf(table.name)));
  for (const { foreignKeys } of declared) for (const key of foreignKeys) completeKey(key, declared);
  return {
    tables: declared,
    views: views.all() as string[],
    danglingRows: (table, key) => countDangling(database, table, key),
  };
}

function readTable(database: Database, { name, type }: Listed, rowNumber: string | undefined): DeclaredTable {
  const sql = database.prepare("select sql from sqlite_schema where type = 'table' and name = ?").pluck().get(name);
  const isVirtual = type === "virtual";
  const text = readTableText(isVirtual || typeof sql !== "string" ? "" : sql);
  const rows = (database.prepare("select * from pragma_table_xinfo(?)").all(name) as ColumnRow[]).filter(
    ({ hidden }) => hidden !== 1,
  );
  const columns = rows.map(
    (row): DeclaredColumn => ({
      name: row.name,
      // A generated column's type ends with words of its own.
      type: row.type.replace(/\s*generated always$/i, ""),
      notNull: row.notnull === 1,
      defaultValue: row.dflt_value,
      generated: row.hidden >= 2 ? (text.generated.get(row.name.toLowerCase()) ?? "an expression") : null,
      collation: text.collations.get(row.name.toLowerCase()) ?? "BINARY",
    }),
  );
  const keyRows = rows.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
  const [only] = keyRows;
  // Only this spelling makes a column the row's own number; a table without rowid has none.
  const isNumbered = keyRows.length === 1 && /^integer$/i.test(only?.type ?? "") && rowNumber !== undefined;
  const indexes = readIndexes(database, name);
  return {
    name,
    isVirtual,
    columns,
    primaryKey: keyRows.map((row) => row.name),
    numbered: isNumbered && !indexes.some(({ origin }) => origin === "pk") ? only?.name : undefined,
    rowNumber,
    indexes: indexes.filter(({ origin }) => origin !== "pk"),
    foreignKeys: readForeignKeys(database, name, text.deferred),
    checks: text.checks,
  };
}

type Indexed = DeclaredIndex & { origin: string };

function readIndexes(database: Database, table: string): Indexed[] {
  const list = database.prepare("select * from pragma_index_list(?) order by seq desc").all(table) as {
    name: string;
    unique: number;
    origin: string;
    partial: number;
  }[];
  return list.map(({ name, unique, origin, partial }) => {
    const parts = database.prepare('select * from pragma_index_xinfo(?) where "key" = 1 order by seqno').all(name) as {
      cid: number;
      name: string | null;
      desc: number;
      coll: string;
    }[];
    const sql = database.prepare("select sql from sqlite_schema where type = 'index' and name = ?").pluck().get(name);
    return {
      name,
      origin,
      isUnique: unique === 1,
      isConstraint: origin !== "c",
      condition: partial === 1 && typeof sql === "string" ? (readIndexCondition(sql) ?? "an expression") : undefined,
      parts: parts.map((part) => ({
        column: part.name ?? undefined,
        collation: part.coll.toUpperCase(),
        descending: part.desc === 1,
      })),
    };
  });
}

function readForeignKeys(database: Database, table: string, deferred: readonly boolean[]): DeclaredForeignKey[] {
  const rows = database.prepare("select * from pragma_foreign_key_list(?) order by id, seq").all(table) as {
    id: number;
    table: string;
    from: string;
    to: string | null;
    on_update: string;
    on_delete: string;
  }[];
  const keys = new Map<number, DeclaredForeignKey>();
  const count = new Set(rows.map(({ id }) => id)).size;
  for (const row of rows) {
    // SQLite numbers them from the last one in the text.
    const isDeferred = deferred[count - 1 - row.id] ?? false;
    const key = keys.get(row.id) ?? {
      columns: [],
      parent: row.table,
      parentColumns: [],
      onUpdate: row.on_update,
      onDelete: row.on_delete,
      isDeferred,
    };
    key.columns.push(row.from);
    if (row.to !== null) key.parentColumns.push(row.to);
    keys.set(row.id, key);
  }
  return [...keys.values()].reverse();
}

/** Gives a key the spelling of its parent's names, and the parent's primary key if it names no columns. */
function completeKey(key: DeclaredForeignKey, tables: readonly DeclaredTable[]): void {
  const parent = tables.find(({ name }) => name.toLowerCase() === key.parent.toLowerCase());
  if (parent === undefined) return;
  key.parent = parent.name;
  const names = key.parentColumns.length === 0 ? parent.primaryKey : key.parentColumns;
  key.parentColumns = names.map(
    (name) => parent.columns.find((column) => column.name.toLowerCase() === name.toLowerCase())?.name ?? name,
  );
}

function countDangling(database: Database, { name }: DeclaredTable, key: DeclaredForeignKey): number {
  const filled = key.columns.map((column) => `c.${quote(column)} is not null`).join(" and ");
  const match = key.columns
    .map((column, index) => `p.${quote(key.parentColumns[index] ?? "")} = c.${quote(column)} collate binary`)
    .join(" and ");
  return database
    .prepare(
      `select count(*) from ${quote(name)} c where ${filled} and not exists (select 1 from ${quote(key.parent)} p where ${match})`,
    )
    .pluck()
    .get() as number;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
