import type { Check } from "../check.ts";
import { observedSince } from "../observation.ts";
import { isOwnRelation, relationName } from "../own-relations.ts";
import { count, percent } from "../text.ts";

interface Row {
  table: string;
  rows: number;
  scans: number;
  rowsPerScan: number;
  indexShare: number;
}

/** A scan that reads few rows of a table ended early (LIMIT, EXISTS): an index would not help it. */
const query = `
  select ${relationName} as table, n_live_tup::float8 as rows, seq_scan::float8 as scans,
         seq_tup_read::float8 / seq_scan as "rowsPerScan",
         coalesce(idx_scan, 0)::float8 / (seq_scan + coalesce(idx_scan, 0)) as "indexShare"
    from pg_stat_all_tables s join pg_class c on c.oid = s.relid join pg_namespace n on n.oid = c.relnamespace
   where ${isOwnRelation} and n_live_tup >= $1 and seq_scan >= $2 and seq_tup_read >= 0.5 * n_live_tup * seq_scan
     and seq_scan > 0.05 * (seq_scan + coalesce(idx_scan, 0))
   order by seq_tup_read desc`;

export const missingIndex: Check = {
  name: "missing-index",
  title: "A large table is often read completely",
  scope: "database",
  async find(observer, { observedDays, missingIndexRows, missingIndexScans }) {
    const since = await observedSince(observer, observedDays);
    const rows = await observer.query<Row>(query, [missingIndexRows, missingIndexScans]);
    const problems = rows.map(({ table, rows: size, scans, rowsPerScan, indexShare }) => ({
      object: table,
      level: "warning" as const,
      detail: `${table} (${count(size)} rows) was scanned completely ${count(scans)} times since ${since.toISOString()}, reading ${count(rowsPerScan)} rows each time. Only ${percent(indexShare)} of its scans use an index.`,
      hint: "Let the planner try indexes for the most expensive statements: pgw index-advice.",
    }));
    return { problems };
  },
};
