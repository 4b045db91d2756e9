import type { Client } from "pg";
import { indexesDue, type NamedQuery } from "./named-queries.ts";

/** A query with the values of its parameters. */
export interface PreparedQuery {
  sql: string;
  values: unknown[];
}

/** Facts of an executed query, from EXPLAIN ANALYZE. */
export interface QueryPlan {
  /** Number of result rows. */
  rows: number;
  /** Indexes that were read. An index of a partition is replaced by its partitioned index. */
  indexes: string[];
  /** Those of them that every node read without their table (Index Only Scan). */
  indexOnly: string[];
  /** Tables and materialized views that were read completely, with the planner's row counts. */
  scanned: { table: string; rows: number }[];
}

/** A node of EXPLAIN's JSON, with the keys that are used here. */
interface PlanNode {
  "Node Type": string;
  "Actual Loops": number;
  "Actual Rows": number;
  "Index Name"?: string;
  "Relation Name"?: string;
  Plans?: PlanNode[];
}

/**
 * Reads a query's parameter values and applies its settings to the session.
 *
 * @throws Error if the volume has no row with such values
 */
export async function prepare(
  client: Client,
  { name, sql, parameters, settings = {} }: NamedQuery,
): Promise<PreparedQuery> {
  await client.query("reset all");
  for (const [setting, value] of Object.entries(settings))
    await client.query("select set_config($1, $2, false)", [setting, value]);
  if (parameters === undefined) return { sql, values: [] };
  const { rows } = await client.query<unknown[]>({ text: parameters, rowMode: "array" });
  const [values] = rows;
  if (values === undefined) throw new Error(`${name}: nothing in the volume has the values to ask for`);
  return { sql, values };
}

/** Runs the query and returns facts of its plan. Nodes that were never executed are ignored. */
export async function explain(client: Client, { sql, values }: PreparedQuery): Promise<QueryPlan> {
  const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(
    `explain (analyze, timing off, format json) ${sql}`,
    values,
  );
  const root = rows[0]?.["QUERY PLAN"][0].Plan;
  if (root === undefined) throw new Error("EXPLAIN answered without a plan");
  const nodes = entered(root);
  const indexes = nodes.flatMap((node) => node["Index Name"] ?? []);
  const withTable = nodes
    .filter((node) => node["Node Type"] !== "Index Only Scan")
    .flatMap((node) => node["Index Name"] ?? []);
  const scanned = nodes
    .filter((node) => node["Node Type"] === "Seq Scan")
    .flatMap((node) => node["Relation Name"] ?? []);
  return {
    rows: root["Actual Rows"],
    indexes: await wholeIndexes(client, indexes),
    indexOnly: await wholeIndexes(
      client,
      indexes.filter((index) => !withTable.includes(index)),
    ),
    scanned: await withRows(client, scanned),
  };
}

/** Index of a node of a plan. The index of a partition is replaced by its partitioned index. */
export interface PlannedIndex {
  index: string;
  /** True if the node reads no rows of the table (Index Only Scan). */
  indexOnly: boolean;
}

/** Plans a query without running it, and returns the indexes of its nodes. */
export async function plannedIndexes(client: Client, sql: string): Promise<PlannedIndex[]> {
  const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(`explain (format json) ${sql}`);
  const root = rows[0]?.["QUERY PLAN"][0].Plan;
  const found: PlannedIndex[] = [];
  for (const node of root === undefined ? [] : nodesOf(root)) {
    const [index] = await wholeIndexes(client, [node["Index Name"] ?? ""]);
    if (index !== undefined) found.push({ index, indexOnly: node["Node Type"] === "Index Only Scan" });
  }
  return found;
}

/**
 * Lists the faults of a plan, one line each. If no index is required, a sequential scan is allowed; the query only has
 * to find rows.
 *
 * @param volumeRows rows of the volume's main table; a table with a tenth of them counts as large
 */
export function planFaults(plan: QueryPlan, query: NamedQuery, volumeRows: number): string[] {
  const due = indexesDue(query, volumeRows);
  const large = due.length === 0 ? [] : plan.scanned.filter(({ rows }) => rows >= volumeRows / 10);
  return [
    ...(plan.rows === 0 ? ["finds nothing"] : []),
    ...due.filter((index) => !plan.indexes.includes(index)).map((index) => `does not use ${index}`),
    ...(query.indexOnly ?? [])
      .filter((index) => due.includes(index) && plan.indexes.includes(index) && !plan.indexOnly.includes(index))
      .map((index) => `reads rows of the table besides ${index}`),
    ...large.map(({ table, rows }) => `reads all ${rows} rows of ${table}`),
  ];
}

function entered(node: PlanNode): PlanNode[] {
  if (node["Actual Loops"] === 0) return [];
  return [node, ...(node.Plans ?? []).flatMap(entered)];
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

async function wholeIndexes(client: Client, names: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select distinct coalesce(pg_partition_root(oid), oid)::regclass::text as name from pg_class
     where relkind in ('i', 'I') and relnamespace = 'public'::regnamespace and relname = any ($1) order by 1`,
    [names],
  );
  return rows.map(({ name }) => name);
}

async function withRows(client: Client, names: readonly string[]): Promise<QueryPlan["scanned"]> {
  const { rows } = await client.query<{ table: string; rows: number }>(
    `select relname as table, reltuples::int as rows from pg_class
     where relnamespace = 'public'::regnamespace and relname = any ($1) order by 1`,
    [names],
  );
  return rows;
}
