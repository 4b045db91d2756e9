import type { SelectQueryBuilder } from "kysely";
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
 * far it is, and no row is shown twice if others are inserted meanwhile.
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
  let ordered = query as unknown as SelectQueryBuilder<Record<string, Record<string, unknown>>, string, Row>;
  if (after !== undefined) {
    const [value, key] = decoded(after);
    ordered = ordered.where(({ eb, and, or }) =>
      and([
        eb(by, direction === "desc" ? "<=" : ">=", value),
        or([eb(by, direction === "desc" ? "<" : ">", value), eb(id, ">", key)]),
      ]),
    );
  }
  const rows = await ordered
    .orderBy(by, direction)
    .orderBy(id, "asc")
    .limit(limit + 1)
    .execute();
  if (rows.length <= limit) return { rows };
  const shown = rows.slice(0, limit);
  const last = shown.at(-1) as Record<string, unknown>;
  return { rows: shown, next: encoded([last[nameOf(by)], last[nameOf(id)]]) };
}

function nameOf(column: string): string {
  return column.split(".").at(-1) ?? column;
}

function encoded(position: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

function decoded(text: string): [unknown, unknown] {
  try {
    const position: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    const scalars = (each: unknown) => ["string", "number"].includes(typeof each);
    if (Array.isArray(position) && position.length === 2 && position.every(scalars)) return [position[0], position[1]];
  } catch {
    // Reported below.
  }
  throw new InvalidValueError("The position of the page is not one that a list returned.");
}

/** Returns a pattern for LIKE that finds a text anywhere, whatever characters it has. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`;
}
