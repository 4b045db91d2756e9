import type pg from "pg";
import { withClient } from "../../../../../scripts/target/client.ts";
import type { Connection } from "../../../../../scripts/target/connection.ts";

/** Runs statements by hand, past the plugin, and answers the last one's rows. */
export function sql(connection: Connection, ...statements: string[]): Promise<pg.QueryResultRow[]> {
  return withClient(connection, async (client) => {
    let rows: pg.QueryResultRow[] = [];
    for (const statement of statements) rows = (await client.query(statement)).rows;
    return rows;
  });
}
