import type { Check } from "../check.ts";
import { fix } from "../fix.ts";
import { isOwnRelation, relationName } from "../own-relations.ts";
import { count } from "../text.ts";

interface Row {
  table: string;
  rows: number;
  isPartitioned: boolean;
}

/**
 * `reltuples` is -1 until the first vacuum or analyze, also if statistics of activity were reset. Autovacuum never
 * analyzes a partitioned table.
 */
const query = `
  with recursive tree as (
    select oid as root, oid as part from pg_class where relkind in ('r', 'p', 'm')
    union all
    select root, inhrelid from tree join pg_inherits on inhparent = part
  ), live as (
    select root, sum(n_live_tup)::float8 as rows from tree join pg_stat_all_tables on relid = part group by root
  )
  select ${relationName} as table, live.rows, c.relkind = 'p' as "isPartitioned"
    from live join pg_class c on c.oid = root join pg_namespace n on n.oid = c.relnamespace
   where ${isOwnRelation} and c.relkind in ('r', 'p', 'm') and c.reltuples < 0 and live.rows >= $1
   order by live.rows desc`;

export const missingStatistics: Check = {
  name: "missing-statistics",
  title: "The planner has no statistics of a table",
  scope: "database",
  async find(observer, { unanalyzedRows }) {
    const rows = await observer.query<Row>(query, [unanalyzedRows]);
    const problems = rows.map(({ table, rows: size, isPartitioned }) => ({
      object: table,
      level: "warning" as const,
      detail: `${table} has about ${count(size)} rows and was never analyzed: the planner guesses.${isPartitioned ? " Autovacuum does not analyze partitioned tables as a whole." : ""}`,
      fix: fix([`analyze ${table}`], "SHARE UPDATE EXCLUSIVE: blocks no reads or writes."),
    }));
    return { problems };
  },
};
