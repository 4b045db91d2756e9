import type { TablePlan } from "../plan.ts";
import type { Problem } from "../values/value.ts";

/** Bytes that a row can have in a page of 8 KiB, less those of the columns that staged rows have in addition. */
export const mostRowBytes = 8_160 - 64;

/** Reason for rejecting a row. */
export const tooWide = `the row has too many values for one row of PostgreSQL, which holds ${mostRowBytes} bytes besides long values`;

/** Hint for a table with so many columns that a row of short values can be too long. */
export const tooWideHint = `A row with more than ${mostRowBytes} bytes besides long values will be rejected.`;

/** Bytes of a value that the server stores outside of the row. */
const pointerBytes = 18;

/** Bytes of values by type. */
const fixedBytes: Readonly<Record<string, number>> = {
  int2: 2,
  int4: 4,
  int8: 8,
  oid: 4,
  float4: 4,
  float8: 8,
  bool: 1,
  uuid: 16,
  date: 4,
  time: 8,
  timestamp: 8,
  timestamptz: 8,
};

/** Returns true if a row of so many short values can be too long. */
export function isManyColumns(count: number): boolean {
  return count > mostRowBytes / pointerBytes;
}

/** Returns the least number of bytes that a row needs in its page. */
export function rowBytes({ columns, table }: TablePlan, cells: readonly (string | null | Problem)[]): number {
  // Header, and a bit for each column that can be null.
  let bytes = 24 + Math.ceil(table.columns.length / 8);
  for (const [index, { target }] of columns.entries()) {
    const cell = cells[index];
    if (typeof cell !== "string") continue;
    const fixed = fixedBytes[target.type.base];
    if (fixed === undefined) bytes += Math.min(shortest(target.type.base, cell), pointerBytes);
    else bytes = fixed > 8 ? bytes + fixed : Math.ceil(bytes / fixed) * fixed + fixed;
  }
  return bytes;
}

/** Returns the bytes of a value with its header. A digit of a numeric needs less than half a byte. */
function shortest(base: string, cell: string): number {
  return base === "numeric" ? 3 + Math.floor(cell.length / 4) * 2 : 1 + cell.length;
}
