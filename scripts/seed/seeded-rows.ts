import { withClient } from "../target/client.ts";
import type { Connection } from "../target/connection.ts";
import { readSeedLedger } from "./ledger.ts";
import { hasRowRecord, locateRows, type SeedFileName } from "./recorded-rows.ts";

/** What became of the rows that a seed file put in. */
export interface SeededRows extends SeedFileName {
  /** Rows that it put in. */
  recorded: number;
  /** Those that are there, and another than they were. */
  changed: number;
  /** Those that are not there any more. */
  gone: number;
}

/** Counts the rows of seed files whose rows were written down; none where the caller may not read the record. */
export async function readSeededRows(connection: Connection, sets: readonly string[]): Promise<SeededRows[]> {
  return withClient(
    connection,
    async (client) => {
      const ledger = await readSeedLedger(client);
      if (!ledger.known || !(await hasRowRecord(client))) return [];
      const files = ledger.records.filter(({ set }) => sets.includes(set));
      await client.query("begin; set local search_path = pg_catalog, pg_temp");
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
