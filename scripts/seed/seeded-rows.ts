import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { readRowsAsRecorded } from "./capture.ts";
import { readSeedLedger } from "./ledger.ts";
import { hasRowRecord, locateRows, type SeedFileName } from "./recorded-rows.ts";

/** Present state of the rows that a seed file inserted. */
export interface SeededRows extends SeedFileName {
  /** Number of rows that it inserted. */
  recorded: number;
  /** Number of rows that exist but have changed. */
  changed: number;
  /** Number of rows that no longer exist. */
  gone: number;
}

/** Counts the rows of seed files whose rows were recorded; empty if the caller may not read the record. */
export async function readSeededRows(connection: Connection, sets: readonly string[]): Promise<SeededRows[]> {
  return withClient(
    connection,
    async (client) => {
      const ledger = await readSeedLedger(client);
      if (!ledger.known || !(await hasRowRecord(client))) return [];
      const files = ledger.records.filter(({ set }) => sets.includes(set));
      await client.query(`begin; ${readRowsAsRecorded}`);
      await locateRows(client, files);
      const { rows } = await client.query<SeededRows>(
        `select c.seed_set as "set", c.filename, recorded.rows as recorded, present.changed, recorded.rows - present.rows as gone
           from unnest($1::text[], $2::text[]) as asked (seed_set, filename)
           join pgroundwork.seed_capture c using (seed_set, filename)
           cross join lateral (select count(*)::int as rows from pgroundwork.seed_row r
                                where r.seed_set = c.seed_set and r.filename = c.filename) as recorded
           cross join lateral (select count(*)::int as rows, count(*) filter (where changed)::int as changed from pg_temp.seeded s
                                where s.seed_set = c.seed_set and s.filename = c.filename) as present`,
        [files.map(({ set }) => set), files.map(({ filename }) => filename)],
      );
      await client.query("rollback");
      return rows;
    },
    "pgroundwork status",
  );
}
