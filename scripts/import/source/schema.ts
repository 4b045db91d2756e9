/*
 * The schema that a source declares. It says what was meant; the values say what is there.
 */

/** A column of a table in a source. */
export interface DeclaredColumn {
  name: string;
  /** Type as it was declared; empty if none was. */
  type: string;
  notNull: boolean;
  /** Expression of the default as it was declared. */
  defaultValue: string | null;
  /** Expression of a generated column; `null` if it is not generated. */
  generated: string | null;
  /** Rule by which texts of the column are compared. */
  collation: string;
}

/** A column or expression of an index. */
export interface IndexPart {
  /** Undefined for an expression. */
  column: string | undefined;
  collation: string;
  descending: boolean;
}

/** An index or a unique constraint. */
export interface DeclaredIndex {
  name: string;
  parts: IndexPart[];
  isUnique: boolean;
  /** True if it belongs to a constraint, so that its name is not its own. */
  isConstraint: boolean;
  /** Condition of a partial index. */
  condition: string | undefined;
}

/** A foreign key. */
export interface DeclaredForeignKey {
  columns: string[];
  parent: string;
  /** Empty if the parent's primary key is meant and the parent does not exist. */
  parentColumns: string[];
  onUpdate: string;
  onDelete: string;
  isDeferred: boolean;
}

/** A table of a source. */
export interface DeclaredTable {
  name: string;
  isVirtual: boolean;
  columns: DeclaredColumn[];
  /** Columns of the primary key. */
  primaryKey: string[];
  /** Column that numbers its rows, if a new row gets a number without being given one. */
  numbered: string | undefined;
  /** Name by which the number of a row can be read if the table has no column for it. */
  rowNumber: string | undefined;
  indexes: DeclaredIndex[];
  foreignKeys: DeclaredForeignKey[];
  checks: string[];
}

/** The schema of a source. */
export interface DeclaredSchema {
  tables: DeclaredTable[];
  views: string[];
  /** Counts the rows of a table that reference no row by a foreign key, comparing texts byte by byte. */
  danglingRows(table: DeclaredTable, key: DeclaredForeignKey): number;
}
