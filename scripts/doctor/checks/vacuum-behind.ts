import type { Check } from "../check.ts";
import { fix } from "../fix.ts";
import { requireCounts } from "../observation.ts";
import { isOwnRelation, relationName } from "../own-relations.ts";
import { count } from "../text.ts";

interface Row {
  table: string;
  dead: number;
  trigger: number;
  isOff: boolean;
  last: Date | null;
}

/** Autovacuum starts at `trigger` dead rows. A large table is vacuumed for a while, so only twice as many count. */
const query = `
  with options as (
    select c.oid, n.nspname, c.relname, greatest(c.reltuples, 0) as rows,
           (select option_value::float8 from pg_options_to_table(c.reloptions) where option_name = 'autovacuum_vacuum_threshold') as threshold,
           (select option_value::float8 from pg_options_to_table(c.reloptions) where option_name = 'autovacuum_vacuum_scale_factor') as scale,
           exists (select from pg_options_to_table(c.reloptions) where option_name = 'autovacuum_enabled' and option_value in ('false', 'off', 'no', '0')) as is_off
      from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${isOwnRelation} and c.relkind in ('r', 'm')
  ), need as (
    select *, coalesce(threshold, current_setting('autovacuum_vacuum_threshold')::float8)
              + coalesce(scale, current_setting('autovacuum_vacuum_scale_factor')::float8) * rows as trigger
      from options
  )
  select ${relationName} as table, n_dead_tup::float8 as dead, c.trigger, c.is_off as "isOff", greatest(last_vacuum, last_autovacuum) as last
    from need c join pg_stat_all_tables s on s.relid = c.oid cross join lateral (select c.nspname) n
   where n_dead_tup >= $1 and n_dead_tup >= 2 * c.trigger
   order by n_dead_tup desc`;

export const vacuumBehind: Check = {
  name: "vacuum-behind",
  title: "Dead rows are not removed in time",
  scope: "database",
  async find(observer, { deadRows }) {
    await requireCounts(observer);
    const rows = await observer.query<Row>(query, [deadRows]);
    const problems = rows.map(({ table, dead, trigger, isOff, last }) => ({
      object: table,
      level: "warning" as const,
      detail: `${table} has ${count(dead)} dead rows; autovacuum should start at ${count(trigger)}. Last vacuum: ${last?.toISOString() ?? "none"}.${isOff ? " Autovacuum is off for this table." : ""}`,
      ...(isOff ? { hint: `Turn autovacuum on again: alter table ${table} reset (autovacuum_enabled)` } : {}),
      fix: fix([`vacuum (analyze) ${table}`], "SHARE UPDATE EXCLUSIVE: blocks no reads or writes."),
    }));
    return { problems };
  },
};
