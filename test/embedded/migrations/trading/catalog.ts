import type { Client } from "pg";

/**
 * Everything of schema public that a migration can make, one line an object, sorted: two equal lists are two equal schemas.
 * Object ids are left out, and so are extensions' own objects.
 */
export async function catalogOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(`
    with own as (
      select oid, relname, relkind, relowner, relacl, relpersistence, reloptions, relispartition, relpartbound
      from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S', 'i', 'I')
    ), routine as (
      select * from pg_proc as proc
      where pronamespace = 'public'::regnamespace
        and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = proc.oid and deptype = 'e')
    )
    select format('relation %s %s owner=%s persistence=%s options=%s bound=%s', relname, relkind, relowner::regrole, relpersistence,
      reloptions, pg_get_expr(relpartbound, oid)) as line from own
    union all
    select format('privilege %s %s %s %s', relname, acl.grantee::regrole, acl.privilege_type, acl.is_grantable)
      from own, aclexplode(relacl) as acl
    union all
    select format('column %s.%s #%s %s notnull=%s default=%s generated=%s statistics=%s', relname, attname, attnum,
      format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attgenerated, attstattarget)
      from own join pg_attribute on attrelid = own.oid and attnum > 0 and not attisdropped
      left join pg_attrdef on adrelid = attrelid and adnum = attnum
      where relkind in ('r', 'p', 'v', 'm')
    union all
    select format('constraint %s.%s %s validated=%s', relname, conname, pg_get_constraintdef(pg_constraint.oid), convalidated)
      from own join pg_constraint on conrelid = own.oid
    union all
    select format('index %s valid=%s', pg_get_indexdef(indexrelid), indisvalid) from own join pg_index on indexrelid = own.oid
    union all
    select format('trigger %s enabled=%s', pg_get_triggerdef(pg_trigger.oid), tgenabled)
      from own join pg_trigger on tgrelid = own.oid where not tgisinternal
    union all
    select format('function %s', pg_get_functiondef(oid)) from routine
    union all
    select format('execute %s %s', oid::regprocedure, coalesce(nullif(acl.grantee, 0)::regrole::text, 'public'))
      from routine, aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl
    union all
    select format('statistics %s', pg_get_statisticsobjdef(oid)) from pg_statistic_ext where stxnamespace = 'public'::regnamespace
    union all
    select format('comment %s %s %s', relname, objsubid, description)
      from own join pg_description on objoid = own.oid and classoid = 'pg_class'::regclass
    union all
    select format('comment %s %s', routine.oid::regprocedure, description)
      from routine join pg_description on objoid = routine.oid and classoid = 'pg_proc'::regclass`);
  return rows.map(({ line }) => line).sort();
}
