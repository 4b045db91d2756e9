import type { Client } from "pg";
import { isOwn } from "./catalog-queries.ts";

/**
 * Lists everything that a migration can create in schema public, one sorted line for each object. Two schemas are equal
 * if their lists are equal. Object ids and objects of extensions are left out. Tests compare the list before a
 * migration and after its down migration.
 */
export async function catalogOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(`
    with own as (
      select * from pg_class where ${isOwn("pg_class")} and relkind in ('r', 'p', 'v', 'm', 'S', 'i', 'I', 'f', 'c')
    ), routine as (
      select * from pg_proc where ${isOwn("pg_proc")}
    )
    ${queries.join("\n    union all\n")}`);
  return rows.map(({ line }) => line).sort();
}

const queries = [
  `select format('relation %s %s owner=%s persistence=%s options=%s bound=%s row security=%s replica identity=%s', relname, relkind,
     relowner::regrole, relpersistence, reloptions, pg_get_expr(relpartbound, oid), relrowsecurity, relreplident) as line from own`,
  `select format('privilege %s %s %s %s', relname, acl.grantee::regrole, acl.privilege_type, acl.is_grantable)
   from own, aclexplode(relacl) as acl`,
  `select format('view %s %s', relname, pg_get_viewdef(oid)) from own where relkind in ('v', 'm')`,
  `select format('sequence %s', to_jsonb(pg_sequence) - 'seqrelid' || jsonb_build_object('name', relname, 'owner', (
     select refobjid::regclass || '.' || refobjsubid from pg_depend
     where classid = 'pg_class'::regclass and objid = seqrelid and refobjsubid > 0 limit 1)))
   from own join pg_sequence on seqrelid = oid`,
  `select format('column %s.%s #%s %s notnull=%s default=%s generated=%s identity=%s statistics=%s storage=%s privileges=%s', relname,
     attname, row_number() over (partition by attrelid order by attnum), format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attgenerated, attidentity,
     attstattarget, attstorage, attacl)
   from own join pg_attribute on attrelid = own.oid and attnum > 0 and not attisdropped
   left join pg_attrdef on adrelid = attrelid and adnum = attnum
   where relkind in ('r', 'p', 'v', 'm', 'f', 'c')`,
  `select format('constraint %s.%s %s validated=%s', relname, conname, pg_get_constraintdef(pg_constraint.oid), convalidated)
   from own join pg_constraint on conrelid = own.oid`,
  `select format('index %s valid=%s', pg_get_indexdef(indexrelid), indisvalid) from own join pg_index on indexrelid = own.oid`,
  `select format('trigger %s enabled=%s', pg_get_triggerdef(pg_trigger.oid), tgenabled)
   from own join pg_trigger on tgrelid = own.oid where not tgisinternal`,
  `select format('rule %s', pg_get_ruledef(pg_rewrite.oid)) from own join pg_rewrite on ev_class = own.oid where relkind <> 'v'`,
  `select format('policy %s', to_jsonb(pg_policies)) from pg_policies where schemaname = 'public'`,
  // Aggregates have no function definition of their own, and no migration here has one.
  `select format('function %s owner=%s', pg_get_functiondef(oid), proowner::regrole) from routine where prokind <> 'a'`,
  `select format('execute %s %s', oid::regprocedure, coalesce(nullif(acl.grantee, 0)::regrole::text, 'public'))
   from routine, aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl`,
  `select format('type %s %s default=%s owner=%s labels=%s', typname, typtype, typdefault, typowner::regrole,
     array(select enumlabel from pg_enum where enumtypid = pg_type.oid order by enumsortorder))
   from pg_type
   where typnamespace = 'public'::regnamespace and typtype in ('e', 'd', 'r')
     and not exists (select from pg_depend where classid = 'pg_type'::regclass and objid = pg_type.oid and deptype = 'e')`,
  `select format('domain constraint %s %s', contypid::regtype, pg_get_constraintdef(oid)) from pg_constraint
   where contypid <> 0 and connamespace = 'public'::regnamespace`,
  "select format('statistics %s', pg_get_statisticsobjdef(oid)) from pg_statistic_ext where stxnamespace = 'public'::regnamespace",
  `select format('default privilege %s %s %s', defaclrole::regrole, defaclobjtype, defaclacl) from pg_default_acl`,
  `select format('schema %s %s %s', nspname, nspowner::regrole, nspacl) from pg_namespace where nspname = 'public'`,
  // A column that a down migration dropped leaves its number behind.
  `select format('comment %s %s %s', relname, attname, description)
   from own join pg_description on objoid = own.oid and classoid = 'pg_class'::regclass
   left join pg_attribute on attrelid = own.oid and attnum = objsubid and objsubid > 0`,
  `select format('comment %s %s', routine.oid::regprocedure, description)
   from routine join pg_description on objoid = routine.oid and classoid = 'pg_proc'::regclass`,
  `select format('comment %s %s %s', relname, conname, description)
   from own join pg_constraint on conrelid = own.oid
   join pg_description on objoid = pg_constraint.oid and classoid = 'pg_constraint'::regclass`,
  `select format('comment %s %s %s', relname, tgname, description)
   from own join pg_trigger on tgrelid = own.oid
   join pg_description on objoid = pg_trigger.oid and classoid = 'pg_trigger'::regclass`,
];
