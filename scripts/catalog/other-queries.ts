import { monitoringSchema } from "../connection/observer.ts";
import { accessList, isNoExtensions, isOwnSchema, ownRelations } from "./own-objects.ts";

const database = `
  select 'database' as kind, datname as name,
    'owner ' || datdba::regrole || E'\\nprivileges ' || ${accessList("datacl", "'d'", "datdba")} as definition
  from pg_database where datname = current_database()`;

const schema = `
  select 'schema' as kind, nspname as name,
    'owner ' || nspowner::regrole || E'\\nprivileges ' || ${accessList("nspacl", "'n'", "nspowner")} as definition
  from pg_namespace n where ${isOwnSchema("nspname")} and ${isNoExtensions("pg_namespace", "n.oid")}`;

const extension = `
  select 'extension' as kind, extname as name, 'in schema ' || nspname as definition
  from pg_extension join pg_namespace n on n.oid = extnamespace
  where nspname <> '${monitoringSchema}'`;

const routine = `
  select 'function' as kind, nspname || '.' || proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' as name,
    concat_ws(E'\\n',
      case when prokind = 'a' then 'aggregate ' || pg_get_function_result(p.oid) else pg_get_functiondef(p.oid) end,
      'owner ' || proowner::regrole,
      'privileges ' || ${accessList("proacl", "'f'", "proowner")}) as definition
  from pg_proc p join pg_namespace n on n.oid = pronamespace
  where ${isOwnSchema("nspname")} and ${isNoExtensions("pg_proc", "p.oid")}`;

/** The columns of a composite type are objects of their own. The row type of a table is left out. */
const type = `
  select 'type' as kind, nspname || '.' || typname as name,
    concat_ws(E'\\n',
      case typtype
        when 'e' then 'enum ' || (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_enum where enumtypid = t.oid)
        when 'd' then 'domain over ' || format_type(typbasetype, typtypmod) || case when typnotnull then ' not null' else '' end
          || coalesce(' default ' || typdefault, '')
          || coalesce((select string_agg(' ' || conname || ' ' || pg_get_constraintdef(oid), '' order by conname) from pg_constraint where contypid = t.oid), '')
        when 'r' then 'range over ' || (select rngsubtype::regtype from pg_range where rngtypid = t.oid)
        when 'c' then 'composite'
      end,
      'owner ' || typowner::regrole,
      'privileges ' || ${accessList("typacl", "'T'", "typowner")}) as definition
  from pg_type t join pg_namespace n on n.oid = typnamespace
  where ${isOwnSchema("nspname")} and ${isNoExtensions("pg_type", "t.oid")}
    and (typtype in ('e', 'd', 'r') or typtype = 'c' and exists (select from pg_class where pg_class.oid = typrelid and relkind = 'c'))`;

const defaultPrivileges = `
  select 'default privileges' as kind,
    format('of %s on %s%s', defaclrole::regrole,
      case defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' else 'schemas' end,
      coalesce(' in ' || nspname, '')) as name,
    array_to_string(array(select item::text from unnest(defaclacl) as item order by 1), ' ') as definition
  from pg_default_acl left join pg_namespace n on n.oid = defaclnamespace
  where nspname is null or ${isOwnSchema("nspname")}`;

const comments = [
  `${ownRelations}
   select 'comment' as kind, 'on ' || relation.name || coalesce('.' || quote_ident(attname), '') as name, description as definition
   from relation join pg_description on objoid = relation.oid and classoid = 'pg_class'::regclass
   left join pg_attribute on attrelid = relation.oid and attnum = objsubid and objsubid > 0
   where not relispartition
     and not exists (select from pg_index join pg_class of_table on of_table.oid = indrelid where indexrelid = relation.oid and of_table.relispartition)`,
  `select 'comment' as kind, 'on function ' || nspname || '.' || proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' as name,
     description as definition
   from pg_proc p join pg_namespace n on n.oid = pronamespace
   join pg_description on objoid = p.oid and classoid = 'pg_proc'::regclass
   where ${isOwnSchema("nspname")} and ${isNoExtensions("pg_proc", "p.oid")}`,
  `${ownRelations}
   select 'comment' as kind, 'on constraint ' || relation.name || '.' || quote_ident(conname) as name, description as definition
   from relation join pg_constraint on conrelid = relation.oid
   join pg_description on objoid = pg_constraint.oid and classoid = 'pg_constraint'::regclass where not relispartition`,
  `${ownRelations}
   select 'comment' as kind, 'on trigger ' || relation.name || '.' || quote_ident(tgname) as name, description as definition
   from relation join pg_trigger on tgrelid = relation.oid
   join pg_description on objoid = pg_trigger.oid and classoid = 'pg_trigger'::regclass where not relispartition`,
  `select 'comment' as kind, 'on type ' || nspname || '.' || typname as name, description as definition
   from pg_type t join pg_namespace n on n.oid = typnamespace
   join pg_description on objoid = t.oid and classoid = 'pg_type'::regclass
   where ${isOwnSchema("nspname")} and ${isNoExtensions("pg_type", "t.oid")}`,
  `select 'comment' as kind, 'on schema ' || nspname as name, description as definition
   from pg_namespace n join pg_description on objoid = n.oid and classoid = 'pg_namespace'::regclass
   where ${isOwnSchema("nspname")} and ${isNoExtensions("pg_namespace", "n.oid")}`,
];

/** Queries for all objects that do not belong to a table. */
export const otherQueries: readonly string[] = [
  database,
  schema,
  extension,
  routine,
  type,
  defaultPrivileges,
  ...comments,
];
