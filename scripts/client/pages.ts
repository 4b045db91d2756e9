import type { SelectQueryBuilder } from "kysely";
import { OperationError } from "../core/operation-error.ts";
import { InvalidValueError } from "./domain-errors.ts";

/** A request for a page of rows. */
export interface PageRequest {
  /** Rows of a page, 1 to 500. Default: 50. */
  limit?: number;
  /** `next` of the page before. */
  after?: string | undefined;
}

/** Rows in order, and where the next page begins. */
export interface Page<Row> {
  rows: Row[];
  /** Absent on the last page. */
  next?: string;
}

/** Order of a list: a column, and a unique one for rows that are equal in it. */
export interface PageOrder {
  by: string;
  id: string;
  /** Direction of `by`. `id` always ascends. */
  direction: "asc" | "desc";
}

/**
 * Runs a query page by page. A page begins after the last row of the one before (keyset), so it costs the same however
 * far it is, and no row is shown twice if others are inserted meanwhile. Rows whose `by` is null are where PostgreSQL
 * puts them: last, or first if the direction is descending.
 *
 * @throws InvalidValueError for a limit or a position that is not valid
 */
export async function pageOf<Database, Tables extends keyof Database, Row>(
  query: SelectQueryBuilder<Database, Tables, Row>,
  { by, id, direction }: PageOrder,
  { limit = 50, after }: PageRequest = {},
): Promise<Page<Row>> {
  if (!Number.isInteger(limit) || limit < 1 || limit > 500)
    throw new InvalidValueError(`limit is ${limit}, expected a whole number from 1 to 500.`);
  // The columns are the entity's own, which Kysely's types cannot know here.
  const all = query as unknown as Selection<Row>;
  const parts = after === undefined ? [all] : rowsAfter(all, { by, id, direction }, decoded(after));
  const rows: Row[] = [];
  for (const part of parts) {
    if (rows.length > limit) break;
    const wanted = limit + 1 - rows.length;
    rows.push(...(await part.orderBy(by, direction).orderBy(id, "asc").limit(wanted).execute()));
  }
  if (rows.length <= limit) return { rows };
  const shown = rows.slice(0, limit);
  const last = shown.at(-1) as Record<string, unknown>;
  return { rows: shown, next: encoded([columnOf(last, by), columnOf(last, id)]) };
}

type Selection<Row> = SelectQueryBuilder<Record<string, Record<string, unknown>>, string, Row>;

/**
 * Returns the selections of the rows after a position, in order. PostgreSQL puts null behind all values, and first if
 * the direction is descending. Each selection can use an index: a condition for both kinds of rows could not.
 */
function rowsAfter<Row>(
  all: Selection<Row>,
  { by, id, direction }: PageOrder,
  [value, key]: Position,
): Selection<Row>[] {
  const descending = direction === "desc";
  if (value === null) {
    const nulls = all.where(by, "is", null).where(id, ">", key);
    return descending ? [nulls, all.where(by, "is not", null)] : [nulls];
  }
  const values = all.where(({ eb, and, or }) =>
    and([eb(by, descending ? "<=" : ">=", value), or([eb(by, descending ? "<" : ">", value), eb(id, ">", key)])]),
  );
  return descending ? [values] : [values, all.where(by, "is", null)];
}

/** Returns the value of a column in a row that the query returned. */
function columnOf(row: Record<string, unknown>, column: string): unknown {
  const name = column.split(".").at(-1) ?? column;
  if (row[name] === undefined)
    throw new OperationError(`The rows of the page have no column "${name}".`, {
      hint: "Select the columns by which the page is ordered, under their own names.",
    });
  return row[name];
}

/** Values of the last row of a page in the columns of its order. */
type Position = readonly [by: unknown, id: unknown];

function encoded(position: Position): string {
  // JSON has no NaN or Infinity. PostgreSQL reads the texts.
  const json = JSON.stringify(position, (_, value) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  );
  return Buffer.from(json).toString("base64url");
}

function decoded(text: string): Position {
  try {
    const position: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    const scalars = (each: unknown) => ["string", "number", "boolean"].includes(typeof each);
    if (Array.isArray(position) && position.length === 2) {
      const [by, id] = position;
      if ((by === null || scalars(by)) && scalars(id)) return [by, id];
    }
  } catch {
    // Reported below.
  }
  throw new InvalidValueError("The position of the page is not one that a list returned.");
}

/** Returns a pattern for LIKE that finds a text anywhere, whatever characters it has. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`;
}
