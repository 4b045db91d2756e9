import type { DeclaredIndex } from "../source/schema.ts";
import { identifier } from "../target/target-table.ts";
import type { CreatedColumn } from "./created-table.ts";
import { type InferredTable, keyBytes, mostKeyBytes, namedColumns } from "./inferred-table.ts";
import type { Names } from "./names.ts";
import type { Proposal } from "./proposal.ts";
import { translateCondition } from "./translate-check.ts";

/** Adds the indexes and unique constraints of a table that mean the same in PostgreSQL. Names the others. */
export function addIndexes(table: InferredTable, names: Names, { leftOut }: Proposal): void {
  const { declared, created, columns } = table;
  // PostgreSQL names the indexes of constraints itself, among the names of tables and indexes.
  names.reserve(`${created.name}_pkey`);
  for (const index of declared.indexes) {
    const what = `${declared.name}: ${index.isUnique ? "the unique index" : "the index"} ${describe(index)}`;
    const fault = faultOf(table, index);
    if (fault !== undefined) {
      leftOut.push(`${what}, because ${fault}`);
      continue;
    }
    const condition =
      index.condition === undefined ? "" : translateCondition(index.condition, namedColumns(declared, columns));
    if (condition === undefined) {
      leftOut.push(`${what}, because its condition cannot be translated: ${index.condition}`);
      continue;
    }
    const parts = index.parts.map(({ column, collation, descending }) => {
      const created = columns.get(column ?? "") as CreatedColumn;
      return {
        sql: collated(created, collation),
        name: created.name,
        isPlain: isPlain(created, collation),
        descending,
      };
    });
    if (index.isConstraint && parts.every((part) => part.isPlain)) {
      created.uniques.push(parts.map(({ name }) => name));
      names.reserve(`${created.name}_${parts.map(({ name }) => name).join("_")}_key`);
      continue;
    }
    const suggested = index.isConstraint
      ? `${created.name}_${parts.map(({ name }) => name).join("_")}_key`
      : index.name;
    const list = parts.map(({ sql, descending }) => `${sql}${descending ? " desc" : ""}`).join(", ");
    const where = condition === "" ? "" : ` where ${condition}`;
    const name = identifier(names.give(suggested, `index ${index.name}`));
    created.indexes.push({
      isUnique: index.isUnique,
      sql: `${name} on ${identifier(created.name)} (${list})${where}`,
    });
  }
  addKeyCollations(table, names);
}

/** A primary key whose texts SQLite compares without case is unique without case, too. */
function addKeyCollations({ declared, created, columns }: InferredTable, names: Names): void {
  const key = declared.primaryKey.map((name) => declared.columns.find((column) => column.name === name));
  const parts = key.map((column) => {
    const found = columns.get(column?.name ?? "") as CreatedColumn;
    return {
      sql: collated(found, column?.collation ?? "BINARY"),
      isPlain: isPlain(found, column?.collation ?? "BINARY"),
    };
  });
  if (parts.length === 0 || parts.every(({ isPlain: plain }) => plain)) return;
  if (!created.primaryKey.every((name) => declared.primaryKey.some((column) => columns.get(column)?.name === name)))
    return;
  const name = identifier(names.give(`${created.name}_collated_key`, `index of the primary key of ${declared.name}`));
  const list = parts.map(({ sql }) => sql).join(", ");
  created.indexes.push({ isUnique: true, sql: `${name} on ${identifier(created.name)} (${list})` });
}

function describe({ name, parts, isConstraint }: DeclaredIndex): string {
  const list = parts.map(({ column }) => column ?? "an expression").join(", ");
  return isConstraint ? `(${list})` : `${name} (${list})`;
}

function faultOf({ declared, columns, profiles }: InferredTable, index: DeclaredIndex): string | undefined {
  if (index.parts.some(({ column }) => column === undefined)) return "it has an expression";
  const names = index.parts.map(({ column }) => column ?? "");
  const unknown = index.parts.find(({ collation }) => !/^(BINARY|NOCASE|RTRIM)$/.test(collation));
  if (unknown !== undefined) return `PostgreSQL has no collation ${unknown.collation}`;
  const folded = index.parts.find(
    ({ column, collation }) => collation !== "BINARY" && columns.get(column ?? "")?.type.family === "jsonb",
  );
  if (folded !== undefined) return `the texts of ${folded.column} are jsonb, which has no collation`;
  const json = names.find((name) => columns.get(name)?.type.family === "json");
  if (json !== undefined) return `${declared.name}.${json} is json`;
  return keyBytes(names.map((name) => profiles.get(name))) > mostKeyBytes
    ? "its values are too long for an index"
    : undefined;
}

function isPlain({ type }: CreatedColumn, collation: string): boolean {
  return collation === "BINARY" || type.family !== "text";
}

/** SQL of a column that is equal where SQLite's collation says so. NOCASE folds ASCII letters only. */
function collated(column: CreatedColumn, collation: string): string {
  const name = identifier(column.name);
  if (isPlain(column, collation)) return name;
  return collation === "NOCASE" ? `lower(${name} collate "C")` : `rtrim(${name}, ' ')`;
}
