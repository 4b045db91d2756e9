import type { Client } from "pg";

/** A generated column. */
export interface GeneratedColumn {
  name: string;
  expression: string;
  notNull: boolean;
  /** True if a constraint, an index or a policy uses it. */
  isUsed: boolean;
}

/** An exclusion constraint, or a key without overlaps. */
export interface Exclusion {
  name: string;
  /** SQL of the constraint without its name, as ALTER TABLE takes it. */
  definition: string;
  /** SQL of its columns and expressions, with their operators. */
  expressions: string[];
  operators: string[];
  condition: string | null;
}

/** Limits of the partitions of a table, and of the table itself if it is one. */
export interface PartitionBounds {
  /** SQL that is false for rows that the table itself refuses; null if it is no partition. */
  own: string | null;
  /** SQL of what each partition without partitions accepts; null if the table has no partitions. */
  partitions: string[] | null;
  /** Columns of all partition keys; null if one has expressions. */
  columns: string[] | null;
}

/** An index whose entries can be too long. */
export interface SizedIndex {
  name: string;
  expressions: string[];
  /** Number of the expressions that are keys: the others are only included. */
  keys: number;
  condition: string | null;
}

/** Reads the generated columns of a table. */
export async function readGenerated(client: Client, oid: string): Promise<GeneratedColumn[]> {
  const { rows } = await client.query<GeneratedColumn>(
    `select a.attname as name, pg_get_expr(d.adbin, d.adrelid) as expression, a.attnotnull as "notNull",
            exists (select from pg_depend u where u.refclassid = 'pg_class'::regclass and u.refobjid = a.attrelid
                     and u.refobjsubid = a.attnum and u.classid in ('pg_constraint'::regclass, 'pg_class'::regclass, 'pg_policy'::regclass)) as "isUsed"
       from pg_attribute a join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = $1 and a.attgenerated <> '' and not a.attisdropped order by a.attnum`,
    [oid],
  );
  return rows;
}

/** Reads the exclusion constraints of a table. */
export async function readExclusions(client: Client, oid: string): Promise<Exclusion[]> {
  const { rows } = await client.query<Exclusion>(
    `select o.conname as name, regexp_replace(pg_get_constraintdef(o.oid), ' (NOT )?DEFERRABLE.*$', '') as definition,
            array(select pg_get_indexdef(i.indexrelid, k, true) from generate_series(1, i.indnkeyatts) k order by k) as expressions,
            array(select format('operator(%I.%s)', n.nspname, p.oprname)
                    from unnest(o.conexclop) with ordinality as u (operator, position)
                    join pg_operator p on p.oid = u.operator join pg_namespace n on n.oid = p.oprnamespace
                   order by u.position) as operators,
            pg_get_expr(i.indpred, i.indrelid) as condition
       from pg_constraint o join pg_index i on i.indexrelid = o.conindid
      where o.conrelid = $1 and o.conexclop is not null order by o.conname`,
    [oid],
  );
  return rows;
}

/** Reads what partitions accept. */
export async function readPartitionBounds(client: Client, oid: string): Promise<PartitionBounds> {
  const { rows } = await client.query<PartitionBounds & { keys: (string[] | null)[] }>(
    `select pg_get_partition_constraintdef(c.oid) as own,
            case when c.relkind = 'p' then array(
              select coalesce(pg_get_partition_constraintdef(l.relid), 'true') from pg_partition_tree(c.oid) l
               where l.isleaf and l.relid <> c.oid) end as partitions,
            (select case when bool_or(0 = any (p.partattrs::int2[])) then null
                         else coalesce(array_agg(distinct a.attname::text), '{}') end
               from (select relid from pg_partition_tree(c.oid) union select relid from pg_partition_ancestors(c.oid)) t
               join pg_partitioned_table p on p.partrelid = t.relid
               left join pg_attribute a on a.attrelid = p.partrelid and a.attnum = any (p.partattrs::int2[])) as columns
       from pg_class c where c.oid = $1`,
    [oid],
  );
  return rows[0] ?? { own: null, partitions: null, columns: [] };
}

/** Reads the B-tree indexes of a table that have a value of no fixed length. */
export async function readSizedIndexes(client: Client, oid: string): Promise<SizedIndex[]> {
  const { rows } = await client.query<SizedIndex>(
    `select c.relname as name, i.indnkeyatts as keys, pg_get_expr(i.indpred, i.indrelid) as condition,
            array(select pg_get_indexdef(i.indexrelid, k, true) from generate_series(1, i.indnatts) k order by k) as expressions
       from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
      where i.indrelid = $1 and m.amname = 'btree' and i.indisready
        and exists (select from pg_attribute a where a.attrelid = i.indexrelid and a.attlen < 0)
      order by c.relname`,
    [oid],
  );
  return rows;
}
