import { isOwnSchema } from "../../catalog/own-objects.ts";
import type { Check } from "../check.ts";
import { count } from "../text.ts";

interface Column {
  table: string;
  column: string;
  isReadable: boolean;
}

/** Columns that can refer to a large object: type oid, or lo of the extension of that name. */
const columns = `
  select format('%I.%I', n.nspname, c.relname) as table, format('%I', attname) as column, has_column_privilege(c.oid, attnum, 'select') as "isReadable"
    from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = c.relnamespace join pg_type t on t.oid = atttypid
   where c.relkind in ('r', 'm') and attnum > 0 and not attisdropped and ${isOwnSchema("n.nspname")}
     and (atttypid = 'oid'::regtype or t.typname = 'lo' or t.typbasetype = 'oid'::regtype)
   order by 1, 2`;

export const orphanedLargeObject: Check = {
  name: "orphaned-large-object",
  title: "Large objects belong to no row",
  scope: "database",
  async find(observer) {
    const [all] = await observer.query<{ count: number }>(
      "select count(*)::float8 as count from pg_largeobject_metadata",
    );
    if (all?.count === 0) return { problems: [] };
    const found = await observer.query<Column>(columns);
    const hidden = found.filter(({ isReadable }) => !isReadable).map(({ table, column }) => `${table}.${column}`);
    if (hidden.length > 0)
      return {
        problems: [],
        unknown: [`the role may not read columns that can refer to large objects: ${hidden.join(", ")}`],
      };
    const referred = found.map(({ table, column }) => `not exists (select from ${table} where ${column}::oid = l.oid)`);
    const [orphans] = await observer.query<{ count: number; examples: string[] }>(
      `select count(*)::float8 as count, (array_agg(oid::text order by oid))[1:5] as examples from pg_largeobject_metadata l
        where ${["true", ...referred].join(" and ")}`,
    );
    if (orphans === undefined || orphans.count === 0) return { problems: [] };
    return {
      problems: [
        {
          object: "large objects",
          level: "info",
          detail: `${count(orphans.count)} large objects are in no column of type oid or lo: ${orphans.examples.join(", ")}${orphans.count > 5 ? " …" : ""}.`,
          hint: "Check that no application stores their numbers as bigint or text. vacuumlo removes them; nothing restores them but a backup.",
        },
      ],
    };
  },
};
