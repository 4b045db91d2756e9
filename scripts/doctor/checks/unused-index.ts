import type { Check } from "../check.ts";
import { fix } from "../fix.ts";
import { observedSince } from "../observation.ts";
import { isOwnRelation, recordedBytes, relationName } from "../own-relations.ts";
import { bytes } from "../text.ts";

interface Row {
  index: string;
  table: string;
  definition: string;
  bytes: number;
  isPartitioned: boolean;
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
    const problems = rows.map(({ index, table, definition, bytes: size, isPartitioned }) => ({
      object: index,
      level: "info" as const,
      detail: `No statement on this server has used the index ${index} of ${table} (${bytes(size)}) since ${since.toISOString()}. Every write to the table also writes to it.`,
      objects: [index, table],
      hint: "Check first that no rare job needs it (a yearly report), and that it is not newer than that time.",
      fix: isPartitioned
        ? fix([`drop index ${index}`], `ACCESS EXCLUSIVE on ${table}: blocks reads and writes for a moment.`, [
            definition,
          ])
        : fix([`drop index concurrently ${index}`], "SHARE UPDATE EXCLUSIVE: blocks no reads or writes.", [
            concurrently(definition),
          ]),
    }));
    return { problems };
  },
};

/** Changes the definition of an index so that creating it blocks no writes. */
export function concurrently(definition: string): string {
  return definition.replace(/^CREATE (UNIQUE )?INDEX /, "CREATE $1INDEX CONCURRENTLY ");
}
