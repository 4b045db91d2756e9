import { isOwnSchema } from "../../catalog/own-objects.ts";
import type { Collector } from "../collector.ts";

/** A table, by the numbers that the server recorded: reading them waits for no lock. */
export interface TableValues {
  name: string;
  bytes: number;
  liveRows: number;
  deadRows: number;
}

/** Tables of the session's database. */
export interface TablesValues {
  count: number;
  liveRows: number;
  deadRows: number;
  sequentialScans: number;
  indexScans: number;
  invalidIndexes: number;
  largest: TableValues[];
}

export const tables: Collector<TablesValues> = {
  name: "tables",
  needs: "any role",
  async collect(observer) {
    const own = isOwnSchema("schemaname");
    const [sums] = await observer.query<Omit<TablesValues, "largest">>(
      `select count(*)::int as count, coalesce(sum(n_live_tup), 0)::float8 as "liveRows", coalesce(sum(n_dead_tup), 0)::float8 as "deadRows",
              coalesce(sum(seq_scan), 0)::float8 as "sequentialScans", coalesce(sum(idx_scan), 0)::float8 as "indexScans",
              (select count(*)::int from pg_index where not indisvalid) as "invalidIndexes"
         from pg_stat_all_tables where ${own}`,
    );
    const largest = await observer.query<TableValues>(
      `select format('%I.%I', schemaname, c.relname) as name, c.relpages * current_setting('block_size')::float8 as bytes,
              n_live_tup::float8 as "liveRows", n_dead_tup::float8 as "deadRows"
         from pg_stat_all_tables s join pg_class c on c.oid = s.relid where ${own} order by c.relpages desc, 1 limit 10`,
    );
    const none = { count: 0, liveRows: 0, deadRows: 0, sequentialScans: 0, indexScans: 0, invalidIndexes: 0 };
    return { ...(sums ?? none), largest };
  },
};
