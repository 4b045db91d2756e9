/*
 * Frequent queries of a reference database and the indexes that they use: `queries.ts` in each database's folder.
 * `plans.test.ts` in the same folder checks their plans at a small volume. `npm run bench` checks plans and times at a
 * large one.
 */

/** Operations that users of these systems wait for. */
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
  /** SQL of a query that returns one row with the values of `$1`, `$2`, … in this order. */
  parameters?: string;
  /** Session settings for this query alone. */
  settings?: Readonly<Record<string, string>>;
  /**
   * Indexes that the plan must use. Empty if the work is in a function, whose plans are not visible, or if the query
   * reads all of a small table.
   */
  uses: readonly string[];
  /** Indexes of `uses` that contain all columns of the query: the plan must read no rows of their table. */
  indexOnly?: readonly string[];
  /** Rows of the volume's main table from which the index is faster. With fewer, a sequential scan is right. */
  fromRows?: number;
}

/** Queries of one group, with their time limit. */
export interface GroupedQueries {
  /** Time limit for each query, in ms; undefined if the requirements name none. */
  withinMs?: number;
  queries: readonly NamedQuery[];
}

/** Type of the export `queries` in a database's `queries.ts`. */
export type DatabaseQueries = Readonly<Partial<Record<QueryGroup, GroupedQueries>>>;

/** A query with the data of its group. */
export interface GroupedQuery extends NamedQuery {
  group: string;
  withinMs: number | undefined;
}

/** Lists the queries of all groups. */
export function listQueries(queries: DatabaseQueries): GroupedQuery[] {
  return Object.entries(queries).flatMap(([group, { withinMs, queries: members }]) =>
    members.map((query) => ({ ...query, group, withinMs })),
  );
}

/** Returns the indexes that a query must use at a given number of rows. */
export function indexesDue({ uses, fromRows = 0 }: NamedQuery, volumeRows: number): readonly string[] {
  return volumeRows >= fromRows ? uses : [];
}
