import type pg from "pg";
import { withClient } from "../../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../../scripts/connection/connection.ts";

/** Runs statements directly, without the plugin, and returns the rows of the last one. */
export function sql(connection: Connection, ...statements: string[]): Promise<pg.QueryResultRow[]> {
  return withClient(connection, async (client) => {
    let rows: pg.QueryResultRow[] = [];
    for (const statement of statements) rows = (await client.query(statement)).rows;
    return rows;
  });
}
