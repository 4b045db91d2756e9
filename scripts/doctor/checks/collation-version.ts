import { isOwnSchema } from "../../catalog/own-objects.ts";
import type { Check } from "../check.ts";
import { fix } from "../fix.ts";

interface Row {
  name: string;
  isDefault: boolean;
  recorded: string;
  actual: string;
  indexes: string[];
}

/** The versions of databases are recorded from PostgreSQL 15 on. */
const databaseVersion = `
  select 100::oid as sorts, quote_ident(datname) as name, true as is_default, datcollversion as recorded,
         pg_database_collation_actual_version(oid) as actual
    from pg_database where datname = current_database()
  union all`;

const query = (isRecorded: boolean) => `
  with version as (
    ${isRecorded ? databaseVersion : ""}
    select c.oid, format('%I.%I', nspname, collname), false, collversion, pg_collation_actual_version(c.oid)
      from pg_collation c join pg_namespace n on n.oid = collnamespace where collversion is not null
  ), sorted as (
    select indexrelid, unnest(indcollation) as sorts from pg_index
    union
    select objid, refobjid from pg_depend join pg_index on indexrelid = objid
     where classid = 'pg_class'::regclass and refclassid = 'pg_collation'::regclass
  )
  select v.name, v.is_default as "isDefault", v.recorded, v.actual,
         array(select format('%I.%I', n.nspname, c.relname) from sorted join pg_class c on c.oid = indexrelid
                 join pg_namespace n on n.oid = relnamespace
                where sorted.sorts = v.sorts and c.relkind = 'i' and ${isOwnSchema("n.nspname")} order by 1) as indexes
    from version v (sorts, name, is_default, recorded, actual)
   where v.recorded <> v.actual and (v.is_default or exists (select from sorted where sorted.sorts = v.sorts))
   order by 1`;

export const collationVersion: Check = {
  name: "collation-version",
  title: "Text is sorted differently than when indexes were built",
  scope: "database",
  async find(observer) {
    const rows = await observer.query<Row>(query(observer.facts.version >= 150_000));
    const problems = rows.map(({ name, isDefault, recorded, actual, indexes }) => ({
      object: isDefault ? `database ${name}` : name,
      level: "error" as const,
      detail: `${isDefault ? `The default collation of database ${name}` : `The collation ${name}`} has version ${actual}, but its ${indexes.length} indexes were built with ${recorded}. They can miss rows and accept duplicates.`,
      objects: [name, ...indexes],
      hint: "Tables that are partitioned by ranges of text can have rows in the wrong partition: check them, too.",
      fix: fix(
        [
          ...indexes.map((index) => `reindex index concurrently ${index}`),
          isDefault ? `alter database ${name} refresh collation version` : `alter collation ${name} refresh version`,
        ],
        "SHARE UPDATE EXCLUSIVE on the tables: blocks no reads or writes.",
      ),
    }));
    return { problems };
  },
};
