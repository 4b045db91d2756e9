import { isOwnSchema } from "../../catalog/own-objects.ts";
import { NotKnown } from "../../connection/observer.ts";
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
  /** Indexes that are not valid, except those that are being built. */
  invalidIndexes: number;
  /** Tables with many dead rows, and twice as many as those at which autovacuum starts by the server's settings. */
  vacuumBehind: number;
  largest: TableValues[];
}

/** Dead rows below which a table is not behind, as in `pgw doctor`. */
const manyDeadRows = 10_000;

export const tables: Collector<TablesValues> = {
  name: "tables",
  needs: "any role",
  async collect(observer) {
    const own = isOwnSchema("schemaname");
    const [sums] = await observer.query<Omit<TablesValues, "largest">>(
      `select count(*)::int as count, coalesce(sum(n_live_tup), 0)::float8 as "liveRows", coalesce(sum(n_dead_tup), 0)::float8 as "deadRows",
              coalesce(sum(seq_scan), 0)::float8 as "sequentialScans", coalesce(sum(idx_scan), 0)::float8 as "indexScans",
              (select count(*)::int from pg_index i where not indisvalid and not exists (
                select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid
              )) as "invalidIndexes",
              count(*) filter (where n_dead_tup >= $1 and n_dead_tup > 2 * (current_setting('autovacuum_vacuum_threshold')::float8
                + current_setting('autovacuum_vacuum_scale_factor')::float8 * n_live_tup))::int as "vacuumBehind"
         from pg_stat_all_tables where ${own}`,
      [manyDeadRows],
    );
    const largest = await observer.query<TableValues>(
      `select format('%I.%I', schemaname, c.relname) as name, c.relpages * current_setting('block_size')::float8 as bytes,
              n_live_tup::float8 as "liveRows", n_dead_tup::float8 as "deadRows"
         from pg_stat_all_tables s join pg_class c on c.oid = s.relid where ${own} order by c.relpages desc, 1 limit 10`,
    );
    if (sums === undefined) throw new NotKnown("the server returned no row");
    return { ...sums, largest };
  },
};
