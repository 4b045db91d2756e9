import type { Check } from "../check.ts";
import { type DroppedIndex, dropIndex } from "../drop-index.ts";
import { observedSince } from "../observation.ts";
import { isOwnRelation, recordedBytes, relationName } from "../own-relations.ts";
import { bytes } from "../text.ts";

interface Row extends DroppedIndex {
  bytes: number;
}

/** An index counts with all its partitions. Those that enforce something are needed even if nothing reads them. */
const query = `
  with recursive tree as (
    select oid as root, oid as part from pg_class where relkind in ('i', 'I') and not relispartition
    union all
    select root, inhrelid from tree join pg_inherits on inhparent = part
  ), used as (
    select root, sum(${recordedBytes}) as bytes, coalesce(sum(idx_scan), 0) as scans
      from tree join pg_class c on c.oid = part left join pg_stat_all_indexes on indexrelid = part
     group by root
  )
  select ${relationName} as index, format('%I.%I', n.nspname, t.relname) as table, pg_get_indexdef(c.oid) as definition,
         used.bytes, c.relkind = 'I' as "isPartitioned"
    from used join pg_index i on i.indexrelid = root join pg_class c on c.oid = root
    join pg_namespace n on n.oid = c.relnamespace join pg_class t on t.oid = i.indrelid
   where ${isOwnRelation} and used.scans = 0 and used.bytes >= $1 and i.indisvalid
     and not (i.indisunique or i.indisexclusion or i.indisreplident or i.indisclustered)
     and not exists (select from pg_constraint where conindid = c.oid)
   order by used.bytes desc`;

export const unusedIndex: Check = {
  name: "unused-index",
  title: "An index is not used",
  scope: "database",
  async find(observer, { observedDays, unusedIndexBytes }) {
    const since = await observedSince(observer, observedDays);
    const rows = await observer.query<Row>(query, [unusedIndexBytes]);
    const problems = rows.map((row) => ({
      object: row.index,
      level: "info" as const,
      detail: `No statement on this server has used the index ${row.index} of ${row.table} (${bytes(row.bytes)}) since ${since.toISOString()}. Every write to the table also writes to it.`,
      objects: [row.index, row.table],
      hint: "Check first that no rare job needs it (a yearly report), and that it is not newer than that time.",
      fix: dropIndex(row),
    }));
    return { problems };
  },
};
