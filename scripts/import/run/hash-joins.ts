import type { Client, QueryResult, QueryResultRow } from "pg";

/**
 * Runs a query without nested loops: how many rows are unchanged is unknown to the planner, and can be all or none. Its
 * hash tables get memory, because the server would otherwise write most of them to files.
 */
export async function withHashJoins<Row extends QueryResultRow>(
  client: Client,
  sql: string,
): Promise<QueryResult<Row>> {
  await client.query("set enable_nestloop = off; set work_mem = '64MB'");
  const result = await client.query<Row>(sql);
  await client.query("reset enable_nestloop; reset work_mem");
  return result;
}
