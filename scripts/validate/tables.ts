import { isOwnRelation, relationName } from "../catalog/own-objects.ts";
import type { Observer } from "../connection/observer.ts";

/** A table whose rows can be examined. */
export interface TableFacts {
  oid: number;
  /** Qualified and quoted. */
  table: string;
  /** `r` table or partition, `p` partitioned table, `m` populated materialized view. */
  kind: "r" | "p" | "m";
  /** Columns of the primary key, quoted; empty if there is none. */
  key: string[];
  /** Reason why the role cannot read all rows; null if it can. */
  hidden: "no right to read it" | "row security hides rows" | null;
}

const query = `
  select c.oid::int8::float8 as oid, ${relationName} as table, c.relkind as kind,
         coalesce((select array_agg(quote_ident(a.attname) order by k.position)
                     from pg_index i cross join unnest(i.indkey) with ordinality k(number, position)
                     join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
                    where i.indrelid = c.oid and i.indisprimary and k.position <= i.indnkeyatts), '{}') as key,
         case when not has_schema_privilege(n.oid, 'usage') or not has_table_privilege(c.oid, 'select') then 'no right to read it'
              when row_security_active(c.oid) then 'row security hides rows' end as hidden
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where ${isOwnRelation} and (c.relkind in ('r', 'p') or (c.relkind = 'm' and c.relispopulated))
   order by 2`;

/** Lists the tables of a database that migrations created, and the populated materialized views. */
export async function readTables(observer: Observer): Promise<TableFacts[]> {
  return observer.query<TableFacts>(query);
}

/** Returns `only` for a table that holds rows itself. The rows of a partitioned table are in its partitions. */
export function from({ kind, table }: Pick<TableFacts, "kind" | "table">): string {
  return kind === "p" ? table : `only ${table}`;
}

/** Longest value of a sample, in characters. */
const sampleWidth = 100;

/**
 * Returns SQL of a JSON object that identifies a row: its primary key, else its place in the table. Values of other
 * columns are not shown, because they could be secrets.
 *
 * @param alias name of the table in the query, quoted; default: none
 */
export function sampleOf({ key }: Pick<TableFacts, "key">, alias?: string, withPlace = false): string {
  const prefix = alias === undefined ? "" : `${alias}.`;
  const columns = key.length === 0 || withPlace ? [...key, "ctid"] : key;
  const pairs = columns.map((column) => {
    const name = column.startsWith('"') ? column.slice(1, -1).replaceAll('""', '"') : column;
    return `'${name.replaceAll("'", "''")}', left(${prefix}${column}::text, ${sampleWidth})`;
  });
  return `json_build_object(${pairs.join(", ")})`;
}
