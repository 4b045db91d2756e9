import { monitoringSchema } from "../connection/observer.ts";

/** Schemas whose objects are not created by migrations. */
const foreignSchemas = `('pg_catalog', 'information_schema', 'pg_toast', 'pgroundwork', 'graphile_migrate', '${monitoringSchema}')`;

/** Returns the SQL condition that migrations may create objects in a schema. `column` holds its name. */
export function isOwnSchema(column: string): string {
  return `(${column} not in ${foreignSchemas} and ${column} !~ '^pg_(toast_)?temp_')`;
}

/** Returns the SQL condition that the object with this id in this system table belongs to no extension. */
export function isNoExtensions(systemTable: string, id: string): string {
  return `not exists (select from pg_depend dependency where dependency.classid = '${systemTable}'::regclass
    and dependency.objid = ${id} and dependency.deptype = 'e')`;
}

/** SQL condition for relations that migrations create: `c` is their row in pg_class, `n` that of their schema. */
export const isOwnRelation = `${isOwnSchema("n.nspname")} and c.relpersistence <> 't' and ${isNoExtensions("pg_class", "c.oid")}`;

/** SQL for the qualified and quoted name of the relation in `c`. */
export const relationName = "format('%I.%I', n.nspname, c.relname)";

/** Returns SQL for an access list as sorted text. If none was set, it is the built-in default. */
export function accessList(acl: string, type: string, owner: string): string {
  return `array_to_string(array(select item::text from unnest(coalesce(${acl}, acldefault(${type}, ${owner}))) as item order by 1), ' ')`;
}

/**
 * SQL of a common table expression `relation`: tables, views, sequences and indexes. Its column `relispartition` marks
 * partitions.
 */
export const ownRelations = `
  with relation as (
    select c.*, nspname || '.' || relname as name
      from pg_class c join pg_namespace n on n.oid = relnamespace
     where ${isOwnSchema("nspname")} and ${isNoExtensions("pg_class", "c.oid")} and relpersistence <> 't'
  )`;
