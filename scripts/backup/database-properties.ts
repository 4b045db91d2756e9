import type { Client } from "pg";

/** Returns true if a server has a database of this name. */
export async function databaseExists(client: Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query("select from pg_database where datname = $1", [name]);
  return rowCount !== 0;
}

/** Settings whose stored value is a list of names that are already quoted. */
const lists = "^(search_path|temp_tablespaces|(session|shared|local)_preload_libraries)$";

/**
 * Statements that give a database the privileges, settings and limit of another one. $1 is the existing database, $2
 * the new one. The order of privileges does not matter.
 */
const statementsQuery = `
  select 1 as step, format('revoke all on database %I from public, %I', $2::text, pg_get_userbyid(datdba)) as statement
    from pg_database where datname = $1 and datacl is not null
  union all
  select 2, format('grant %s on database %I to %s%s', privilege_type, $2::text,
                   case grantee when 0 then 'public' else format('%I', pg_get_userbyid(grantee)) end,
                   case when is_grantable then ' with grant option' else '' end)
    from pg_database, aclexplode(datacl) where datname = $1
  union all
  select 3, format('alter %s set %s = %s',
                   case setrole when 0 then format('database %I', $2::text)
                                else format('role %I in database %I', pg_get_userbyid(setrole), $2::text) end,
                   (select string_agg(format('%I', part), '.' order by place)
                      from unnest(string_to_array(name, '.')) with ordinality as parts (part, place)),
                   case when name ~ '${lists}' then coalesce(nullif(value, ''), '''''') else quote_literal(value) end)
    from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase,
         unnest(setconfig) as setting,
         lateral (select split_part(setting, '=', 1) as name, substr(setting, strpos(setting, '=') + 1) as value) as v
   where d.datname = $1
  union all
  select 4, format('alter database %I connection limit %s', $2::text, datconnlimit)
    from pg_database where datname = $1 and datconnlimit >= 0
  order by step`;

/** Gives a new database the privileges, settings and connection limit of an existing one. */
export async function copyDatabaseProperties(client: Client, from: string, to: string): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(statementsQuery, [from, to]);
  for (const { statement } of rows) await client.query(statement);
}
