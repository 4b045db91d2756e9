/** Schemas whose objects no migration made. */
const foreignSchemas = "('pg_catalog', 'information_schema', 'pg_toast', 'pgroundwork', 'graphile_migrate')";

/** SQL: a schema that migrations may make objects in. `column` holds its name. */
export function isOwnSchema(column: string): string {
  return `(${column} not in ${foreignSchemas} and ${column} !~ '^pg_(toast_)?temp_')`;
}

/** SQL: the object with this id in this system table belongs to no extension. */
export function isNoExtensions(systemTable: string, id: string): string {
  return `not exists (select from pg_depend dependency where dependency.classid = '${systemTable}'::regclass
    and dependency.objid = ${id} and dependency.deptype = 'e')`;
}

/** SQL: an access list, the built-in one where none was set, in an order of its own. */
export function accessList(acl: string, type: string, owner: string): string {
  return `array_to_string(array(select item::text from unnest(coalesce(${acl}, acldefault(${type}, ${owner}))) as item order by 1), ' ')`;
}

/** Common table expressions: `relation` (tables, views, sequences, indexes), partitions and what belongs to them marked. */
export const ownRelations = `
  with relation as (
    select c.*, nspname || '.' || relname as name
      from pg_class c join pg_namespace n on n.oid = relnamespace
     where ${isOwnSchema("nspname")} and ${isNoExtensions("pg_class", "c.oid")} and relpersistence <> 't'
  )`;
