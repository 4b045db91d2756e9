import type { Check } from "../check.ts";
import { type DroppedIndex, dropIndex } from "../drop-index.ts";
import { expressionText, isOwnRelation, recordedBytes } from "../own-relations.ts";
import { bytes } from "../text.ts";

interface Row extends DroppedIndex {
  other: string;
  bytes: number;
  isEqual: boolean;
}

/**
 * Index `a` is superfluous if `b` has its columns at the beginning, with the same operator classes, collations and
 * order, and the same predicate, expressions and included columns. Only btree serves a beginning of its columns. A
 * shorter index beside that of a constraint is not reported: the wider index was not made for reading.
 */
const query = `
  with index as (
    select i.*, c.relkind, t.relname as table, n.nspname, c.relname, ${recordedBytes} as bytes,
           array_to_string((indkey::int2[])[0:indnkeyatts - 1], ' ') as keys, array_to_string(indclass::oid[], ' ') as classes,
           array_to_string(indcollation::oid[], ' ') as collations, array_to_string(indoption::int2[], ' ') as options,
           array_to_string((indkey::int2[])[indnkeyatts:], ' ') as included,
           coalesce(${expressionText("indpred")}, '') as predicate, coalesce(${expressionText("indexprs")}, '') as expressions,
           -- The column exists from version 15 on.
           coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false') as nulls, amname, exists (select from pg_constraint where conindid = c.oid and contype in ('p', 'u', 'x')) as constrains
      from pg_index i join pg_class c on c.oid = indexrelid join pg_class t on t.oid = indrelid
      join pg_namespace n on n.oid = c.relnamespace join pg_am am on am.oid = c.relam
     where ${isOwnRelation} and indisvalid and indisready and not c.relispartition
  ), pair as (
    select a.*, b.indexrelid as kept, format('%I.%I', b.nspname, b.relname) as other,
           a.keys = b.keys and a.indisunique = b.indisunique as is_twin, a.keys = b.keys as is_equal,
           b.constrains and not a.constrains or b.indisreplident and not a.indisreplident as is_needed
      from index a join index b on b.indrelid = a.indrelid and b.indexrelid <> a.indexrelid
       and b.predicate = a.predicate and b.expressions = a.expressions and b.included = a.included
       and (b.keys || ' ') ^@ (a.keys || ' ') and (b.classes || ' ') ^@ (a.classes || ' ')
       and (b.collations || ' ') ^@ (a.collations || ' ') and (b.options || ' ') ^@ (a.options || ' ')
     where not a.constrains and not a.indisreplident and not a.indisclustered and not a.indisexclusion
       and (a.keys = b.keys and (not a.indisunique or b.indisunique and a.nulls = b.nulls)
            or a.amname = 'btree' and not a.indisunique and a.expressions = '' and not b.constrains)
  )
  select distinct on (indexrelid) format('%I.%I', nspname, relname) as index, other,
         format('%I.%I', nspname, pair.table) as table, pg_get_indexdef(indexrelid) as definition, bytes,
         is_equal as "isEqual", relkind = 'I' as "isPartitioned"
    from pair
   -- Of two equal ones, the one that a constraint needs is kept, else the older one.
   where not is_twin or is_needed or indexrelid > kept
   order by indexrelid, is_equal desc, other`;

export const duplicateIndex: Check = {
  name: "duplicate-index",
  title: "An index is superfluous",
  scope: "database",
  async find(observer) {
    const rows = await observer.query<Row>(query);
    const problems = rows.map((row) => ({
      object: row.index,
      level: "warning" as const,
      detail: `${row.index} (${bytes(row.bytes)}) is superfluous: ${row.other} ${row.isEqual ? "has the same columns" : "begins with its columns"}, and answers the same statements.`,
      objects: [row.index, row.other, row.table],
      fix: dropIndex(row),
    }));
    return { problems };
  },
};
