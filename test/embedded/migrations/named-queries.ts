/*
 * What a reference database is asked most, and the indexes that answer: `queries.ts` in each database's folder. `plans.test.ts` beside it holds the
 * plans to it at a small volume, `npm run bench` at a large one, with times.
 */

/** What people of these systems wait for. */
export type QueryGroup =
  | "user lookup"
  | "asset search"
  | "admin dashboard"
  | "transaction history"
  | "analytics"
  | "all operations";

/** One query, as an application sends it. */
export interface NamedQuery {
  name: string;
  sql: string;
  /** A query whose one row has the values of `$1`, `$2`, … in that order. */
  parameters?: string;
  /** Settings of the session, for this query alone. */
  settings?: Readonly<Record<string, string>>;
  /** Every index that the plan has to use. None: its work is inside a function, whose plans are not seen, or reads all of a small table. */
  uses: readonly string[];
  /** Rows of the volume's main table from which the index wins; with fewer, reading a small table whole is right. */
  fromRows?: number;
}

/** Queries that belong together, with what their users were promised. */
export interface GroupedQueries {
  /** Target for each, in ms; none where nobody named one. */
  withinMs?: number;
  queries: readonly NamedQuery[];
}

/** What `queries.ts` of a database exports as `queries`. */
export type DatabaseQueries = Readonly<Partial<Record<QueryGroup, GroupedQueries>>>;

/** A query with what its group says. */
export interface GroupedQuery extends NamedQuery {
  group: string;
  withinMs: number | undefined;
}

export function listQueries(queries: DatabaseQueries): GroupedQuery[] {
  return Object.entries(queries).flatMap(([group, { withinMs, queries: members }]) =>
    members.map((query) => ({ ...query, group, withinMs })),
  );
}

/** The indexes that a query has to use in a volume of so many rows. */
export function indexesDue({ uses, fromRows = 0 }: NamedQuery, volumeRows: number): readonly string[] {
  return volumeRows >= fromRows ? uses : [];
}
