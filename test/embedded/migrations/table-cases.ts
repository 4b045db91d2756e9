import { createHash } from "node:crypto";
import pg from "pg";

/*
 * The `cases/*.ts` of a database contain one `TableCases` for each of its tables. `describeConstraints` tests them all.
 * Rows may refer to rows of the reference and dev seeds, and to rows that the test creates before its cases.
 */

export type Row = Record<string, unknown>;

/** Rows that a table accepts and rejects. */
export interface TableCases {
  table: string;
  /** Returns an accepted row, complete without triggers. Rows 1 and 2 differ in every unique key. */
  row: (n: number) => Row;
  /** For each check, the change to row 1 that violates this check and no other. */
  rejects: Record<string, Row>;
  /**
   * For a foreign key whose column cannot be changed alone, further changes to row 1. A key column in these changes
   * replaces the default missing value (an id of all f, the text NONE, the largest number).
   */
  referring?: Record<string, Row>;
  /** For a unique key that is null in the row or whose predicate excludes it, changes to both rows. */
  duplicating?: Record<string, Row>;
  /** For each exclusion constraint, the change to row 2 that makes it overlap row 1 or a seeded row. */
  overlapping?: Record<string, Row>;
}

/** Returns hour `n` of 2030 in UTC, a time that no seed uses. */
export const at = (n: number) => new Date(Date.UTC(2030, 0, 1, n)).toISOString();

export const letter = (n: number) => String.fromCharCode(96 + n);

/** Returns 64 hexadecimal digits, like a token's hash; `n` is one digit. */
export const sha256 = (n: number) => String(n).repeat(64);

export const bcrypt = `$2b$10$${"a".repeat(53)}`;

/** Returns an id as seeds number them: `numbered("20000000", 1)` is 20000000-0000-4000-8000-000000000001. */
export const numbered = (prefix: string, n: number) => `${prefix}-0000-4000-8000-${String(n).padStart(12, "0")}`;

/** Returns an id as seeds derive it from a name: `md5(name)::uuid`. */
export function md5Uuid(name: string): string {
  const digits = createHash("md5").update(name).digest("hex");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** An id that no row has. */
export const missingId = "ffffffff-ffff-4fff-8fff-ffffffffffff";

/** Inserts a row and returns it as stored. */
export async function insert(client: pg.Client, table: string, row: Row): Promise<Row> {
  const columns = Object.keys(row).map((column) => pg.escapeIdentifier(column));
  const parameters = columns.map((_, index) => `$${index + 1}`);
  const sql = `insert into ${pg.escapeIdentifier(table)} (${columns.join(", ")}) values (${parameters.join(", ")}) returning *`;
  const { rows } = await client.query<Row>(sql, Object.values(row));
  return rows[0] ?? {};
}
