import type { Client } from "pg";

/** A column, with what the types need to know and Kysely's introspection does not say. */
export interface ColumnFacts {
  name: string;
  notNull: boolean;
  /** The server computes the value, and refuses any other: a generated or identity column. */
  computed: boolean;
  /** Conditions of its type if that is a domain, for `VALUE`. */
  domainChecks: string[];
}

/** A table or view of the schema `public`. */
export interface RelationFacts {
  name: string;
  columns: ColumnFacts[];
  /** Conditions of its CHECK constraints, as PostgreSQL prints them. */
  checks: string[];
  /** Query of a view. */
  definition: string | null;
}

/** Reads the tables and views of `public` that no extension contains, in the order of their names. */
export async function readRelations(client: Pick<Client, "query">): Promise<RelationFacts[]> {
  const { rows } = await client.query<RelationFacts>(`
    select relation.relname as name,
      case when relation.relkind in ('v', 'm') then pg_catalog.pg_get_viewdef(relation.oid) end as definition,
      (select coalesce(json_agg(json_build_object(
          'name', attname, 'notNull', attnotnull, 'computed', attgenerated <> '' or attidentity = 'a',
          'domainChecks', (
            with recursive type as (
              select oid, typbasetype from pg_catalog.pg_type where oid = atttypid and typtype = 'd'
              union all
              select base.oid, base.typbasetype from type
              join pg_catalog.pg_type as base on base.oid = type.typbasetype and base.typtype = 'd'
            )
            select coalesce(json_agg(pg_catalog.pg_get_expr(conbin, 0) order by conname), '[]')
            from type join pg_catalog.pg_constraint on contypid = type.oid and contype = 'c' and convalidated
          )) order by attnum), '[]')
        from pg_catalog.pg_attribute
        where attrelid = relation.oid and attnum > 0 and not attisdropped) as columns,
      (select coalesce(json_agg(pg_catalog.pg_get_expr(conbin, conrelid) order by conname), '[]')
        from pg_catalog.pg_constraint
        where conrelid = relation.oid and contype = 'c' and convalidated) as checks
    from pg_catalog.pg_class as relation
    where relation.relnamespace = 'public'::regnamespace and relation.relkind in ('r', 'p', 'v', 'm', 'f')
      and not relation.relispartition
      and not exists (
        select from pg_catalog.pg_depend
        where classid = 'pg_catalog.pg_class'::regclass and objid = relation.oid and deptype = 'e')
    order by relation.relname collate "C"`);
  return rows;
}
