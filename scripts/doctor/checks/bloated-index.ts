import type { Check } from "../check.ts";
import { fix } from "../fix.ts";
import { isOwnRelation, recordedBytes, relationName } from "../own-relations.ts";
import { bytes, percent } from "../text.ts";

interface Row {
  index: string;
  table: string;
  bytes: number;
  /** null if the role cannot read the statistics of its columns. */
  expectedBytes: number | null;
}

/**
 * Estimates a btree's size from its rows and the average width of their keys: 8 bytes of header and 4 of a line pointer
 * for each entry, in pages filled as far as `fillfactor` allows. Deduplication makes real indexes smaller, so the
 * estimate reports too few rather than too many.
 */
const query = `
  with index as (
    select c.oid, n.nspname, ${relationName} as name, t.relname as table, c.reltuples, ${recordedBytes} as bytes, indrelid,
           coalesce((select option_value::int from pg_options_to_table(c.reloptions) where option_name = 'fillfactor'), 90) as filled
      from pg_index i join pg_class c on c.oid = indexrelid join pg_namespace n on n.oid = c.relnamespace
      join pg_class t on t.oid = indrelid join pg_am am on am.oid = c.relam
     where ${isOwnRelation} and c.relkind = 'i' and amname = 'btree' and indisvalid and c.reltuples >= 0 and ${recordedBytes} >= $1
  ), width as (
    select index.oid, sum(avg_width * (1 - null_frac)) as width, bool_or(avg_width is null) as is_unknown
      from index join pg_attribute k on k.attrelid = index.oid
      join pg_index i on i.indexrelid = index.oid
      left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[k.attnum - 1]
      left join pg_stats s on s.schemaname = nspname
       and (s.tablename = index.table and s.attname = a.attname and not s.inherited
            or a.attnum is null and s.tablename = (select relname from pg_class where oid = index.oid) and s.attname = k.attname)
     group by index.oid
  )
  select name as index, format('%I.%I', nspname, index.table) as table, bytes,
         case when not is_unknown then
           (1 + ceil(reltuples * (12 + 8 * ceil(width / 8)) / ((current_setting('block_size')::float8 - 40) * filled / 100)))
             * current_setting('block_size')::float8
         end as "expectedBytes"
    from index join width using (oid)
   order by bytes desc`;

export const bloatedIndex: Check = {
  name: "bloated-index",
  title: "An index is mostly empty",
  scope: "database",
  async find(observer, { bloatedIndexBytes, bloatShare }) {
    const rows = await observer.query<Row>(query, [bloatedIndexBytes]);
    const hidden = rows.filter(({ expectedBytes }) => expectedBytes === null);
    const problems = rows.flatMap(({ index, table, bytes: size, expectedBytes }) => {
      if (expectedBytes === null) return [];
      const share = 1 - expectedBytes / size;
      if (share < bloatShare) return [];
      return {
        object: index,
        level: "warning" as const,
        detail: `About ${percent(share)} of ${index} (${bytes(size)}) is empty. This is an estimate: its rows need about ${bytes(expectedBytes)}.`,
        objects: [index, table],
        fix: fix(
          [`reindex index concurrently ${index}`],
          "SHARE UPDATE EXCLUSIVE: blocks no reads or writes. It needs free space for a second copy.",
        ),
      };
    });
    if (hidden.length === 0) return { problems };
    const names = hidden.map(({ index }) => index).join(", ");
    return {
      problems,
      unknown: [
        `the size of ${names} cannot be estimated: the column statistics are missing, or the role may not read them`,
      ],
    };
  },
};
