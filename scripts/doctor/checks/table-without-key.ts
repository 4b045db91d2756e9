import type { Check } from "../check.ts";
import { fix } from "../fix.ts";
import { isOwnRelation, relationName } from "../own-relations.ts";

/** A unique index on columns that are not null is a key, too, if it covers all rows and is no expression. */
const query = `
  select ${relationName} as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where ${isOwnRelation} and c.relkind in ('r', 'p') and not c.relispartition
     and not exists (
       select from pg_index where indrelid = c.oid and indisvalid and indisunique and indpred is null and indexprs is null
          and not exists (select from pg_attribute where attrelid = c.oid and attnum = any ((indkey::int2[])[0:indnkeyatts - 1]) and not attnotnull))
   order by 1`;

export const tableWithoutKey: Check = {
  name: "table-without-key",
  title: "A table has no key",
  scope: "database",
  async find(observer) {
    const rows = await observer.query<{ table: string }>(query);
    const problems = rows.map(({ table }) => ({
      object: table,
      level: "warning" as const,
      detail: `${table} has no primary key and no other key. Duplicate rows cannot be told apart, and logical replication refuses UPDATE and DELETE.`,
      hint: "If columns of the table identify a row, make them the primary key instead of adding a column.",
      fix: fix(
        [`alter table ${table} add column row_id bigint generated always as identity primary key`],
        `ACCESS EXCLUSIVE on ${table}: blocks reads and writes while the table is rewritten.`,
        [`alter table ${table} drop column row_id`],
      ),
    }));
    return { problems };
  },
};
