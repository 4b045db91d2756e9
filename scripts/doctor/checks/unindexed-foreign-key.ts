import type { Check } from "../check.ts";
import { fix } from "../fix.ts";
import { isOwnRelation, relationName } from "../own-relations.ts";

interface Row {
  key: string;
  table: string;
  referenced: string;
  columns: string;
  isPartitioned: boolean;
}

/**
 * Any order of the columns serves the lookup by all of them. So does a partial index whose only condition is that these
 * columns are not null: the lookup by equality implies it. A constraint of partitions belongs to that of their table.
 */
const query = `
  select format('%I', conname) as key, ${relationName} as table, format('%I.%I', rn.nspname, r.relname) as referenced,
         c.relkind = 'p' as "isPartitioned",
         (select string_agg(format('%I', attname), ', ' order by position)
            from unnest(conkey) with ordinality k (number, position) join pg_attribute on attrelid = conrelid and attnum = number) as columns
    from pg_constraint f join pg_class c on c.oid = conrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_class r on r.oid = confrelid join pg_namespace rn on rn.oid = r.relnamespace
   where ${isOwnRelation} and contype = 'f' and conparentid = 0
     and not exists (
       select from pg_index i
        where indrelid = conrelid and indisvalid
          and (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey and indnkeyatts >= cardinality(conkey)
          and not exists (
            select from unnest((indclass::oid[])[0:cardinality(conkey) - 1]) class join pg_opclass oc on oc.oid = class
             where not exists (select from pg_amop join pg_operator o on o.oid = amopopr where amopfamily = opcfamily and oprname = '='))
          and (indpred is null
               or pg_get_expr(indpred, indrelid) ~ '^\\(+[^()]+ IS NOT NULL\\)+( AND \\([^()]+ IS NOT NULL\\)+)*$'
                  and array(select (regexp_matches(indpred::text, ':varattno (\\d+)', 'g'))[1]::int2) <@ conkey))
   order by 2, 1`;

export const unindexedForeignKey: Check = {
  name: "unindexed-foreign-key",
  title: "A foreign key has no index",
  scope: "database",
  async find(observer) {
    const rows = await observer.query<Row>(query);
    const problems = rows.map(({ key, table, referenced, columns, isPartitioned }) => ({
      object: `${table}.${key}`,
      level: "warning" as const,
      detail: `No index begins with the columns of the foreign key ${key} of ${table} (${columns}). Every DELETE in ${referenced}, and every change of its key, reads all of ${table}.`,
      objects: [table, referenced],
      fix: isPartitioned
        ? fix([`create index on ${table} (${columns})`], `SHARE on ${table}: blocks writes until it is built.`)
        : fix(
            [`create index concurrently on ${table} (${columns})`],
            "SHARE UPDATE EXCLUSIVE: blocks no reads or writes.",
          ),
    }));
    return { problems };
  },
};
