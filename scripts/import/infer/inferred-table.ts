import type { TableMap } from "../map.ts";
import type { DeclaredTable } from "../source/schema.ts";
import { identifier } from "../target/target-table.ts";
import type { CreatedColumn, CreatedTable } from "./created-table.ts";
import type { ColumnProfile } from "./profile.ts";
import type { NamedColumn } from "./translate-check.ts";

/** Gets the number of rows of a table that were read so far. */
export type InferProgress = (table: string, rows: number) => void;

/** A table of the source, and what becomes of it. */
export interface InferredTable {
  declared: DeclaredTable;
  created: CreatedTable;
  entry: TableMap;
  /** Profiles and columns by the names of the source. */
  profiles: ReadonlyMap<string, ColumnProfile>;
  columns: ReadonlyMap<string, CreatedColumn>;
}

/** Bytes of a key above which an index can refuse a row: a third of a page. */
export const mostKeyBytes = 2_600;

/** Most bytes that a row needs in an index on some columns. */
export function keyBytes(profiles: readonly (ColumnProfile | undefined)[]): number {
  return profiles.reduce((sum, profile) => sum + 16 + (profile?.mostBytes ?? 0), 0);
}

/** Columns by their names in lower case, for conditions. */
export function namedColumns(
  declared: DeclaredTable,
  columns: ReadonlyMap<string, CreatedColumn>,
): Map<string, NamedColumn> {
  return new Map(
    declared.columns.flatMap(({ name, collation }) => {
      const column = columns.get(name);
      return column === undefined
        ? []
        : [[name.toLowerCase(), { target: column.name, family: column.type.family, collation }]];
    }),
  );
}

/** Writes a table's name as a map has it: in quotes only if it needs them. */
export function tableName(name: string): string {
  return /^[a-z_][a-z\d_]*$/.test(name) ? name : identifier(name);
}
