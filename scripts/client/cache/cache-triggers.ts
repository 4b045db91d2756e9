import { OperationError } from "../../core/operation-error.ts";
import { cacheTrigger } from "../../model/cache-changes.ts";
import type { Pool } from "../pool.ts";

/**
 * Bits of `tgtype`: 1 for each row, 4 insert, 8 delete, 16 update, 32 truncate. A partitioned table needs triggers for
 * each row: those for each statement do not fire for statements on a partition.
 */
const triggersQuery = `
  select wanted.name
  from pg_catalog.unnest($1::text[]) as wanted(name)
  left join pg_catalog.pg_class on pg_class.oid = pg_catalog.to_regclass(wanted.name)
  left join lateral (
    select pg_catalog.bit_or(tgtype::int) as events,
           pg_catalog.bit_or(case when tgtype & 1 = 1 then tgtype::int else 0 end) as row_events
    from pg_catalog.pg_trigger join pg_catalog.pg_proc on pg_proc.oid = tgfoid
    where tgrelid = pg_class.oid and proname = $2 and tgenabled in ('O', 'A') and tgqual is null
      and tgattr = ''::pg_catalog.int2vector
      and tgargs = pg_catalog.convert_to(wanted.name, 'UTF8') || '\\x00'::bytea
  ) as found on true
  where (found.events & 60 = 60 and (relkind = 'r' or relkind = 'p' and found.row_events & 28 = 28)) is not true`;

/**
 * Requires the triggers that report changes of tables.
 *
 * @param tables names with their schema
 * @throws OperationError with the tables that lack them
 */
export async function requireCacheTriggers(pool: Pool, tables: readonly string[]): Promise<void> {
  const { rows } = await pool.query<{ name: string }>({
    text: triggersQuery,
    values: [tables, cacheTrigger],
    readOnly: true,
  });
  if (rows.length === 0) return;
  const names = rows.map(({ name }) => name);
  throw new OperationError(`Changes are not reported to caches by: ${names.join(", ")}.`, {
    hint: `Write a migration with the triggers: pgw migrate cache-triggers ${names.join(" ")}`,
  });
}
