import type { Client, QueryResult, QueryResultRow } from "pg";

/** Runs a query without nested loops: how many rows are unchanged is unknown to the planner, and can be all or none. */
export async function withHashJoins<Row extends QueryResultRow>(
  client: Client,
  sql: string,
): Promise<QueryResult<Row>> {
  await client.query("set enable_nestloop = off");
  const result = await client.query<Row>(sql);
  await client.query("reset enable_nestloop");
  return result;
}
