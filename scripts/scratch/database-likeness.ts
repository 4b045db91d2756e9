import type { Client } from "pg";

/** Everything about a database, beside its objects, that decides how migrations run in it and what they leave. */
export interface DatabaseLikeness {
  owner: string;
  /** Statements for the same encoding and locale, as options of CREATE DATABASE. */
  createOptions: string;
  /** To be run in the copy by the administrator, in this order. */
  statements: string[];
}

interface DatabaseRow {
  owner: string;
  encoding: string;
  collate: string;
  ctype: string;
  /** `c` libc, `i` ICU, `b` builtin; null before version 15. */
  provider: string | null;
  locale: string | null;
}

/** Reads the likeness of the client's database. Any role may. */
export async function readLikeness(client: Client): Promise<DatabaseLikeness> {
  const { rows } = await client.query<DatabaseRow>(
    `select pg_get_userbyid(datdba) as owner, pg_encoding_to_char(encoding) as encoding, datcollate as collate, datctype as ctype,
            to_jsonb(d) ->> 'datlocprovider' as provider,
            coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') as locale
       from pg_database d where datname = current_database()`,
  );
  const database = rows[0];
  if (database === undefined) throw new Error("pg_database has no row of the current database");
  return {
    owner: database.owner,
    createOptions: createOptions(client, database),
    statements: [
      ...(await extensionStatements(client)),
      ...(await schemaStatements(client)),
      ...(await defaultPrivilegeStatements(client)),
    ],
  };
}

function createOptions(client: Client, { encoding, collate, ctype, provider, locale }: DatabaseRow): string {
  const literal = (value: string) => client.escapeLiteral(value);
  const options = [`encoding ${literal(encoding)}`, `lc_collate ${literal(collate)}`, `lc_ctype ${literal(ctype)}`];
  if (provider === "i" && locale !== null) options.push("locale_provider icu", `icu_locale ${literal(locale)}`);
  if (provider === "b" && locale !== null) options.push("locale_provider builtin", `builtin_locale ${literal(locale)}`);
  return options.join(" ");
}

async function extensionStatements(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; schema: string }>(
    `select extname as name, nspname as schema
       from pg_extension join pg_namespace n on n.oid = extnamespace
      where extname <> 'plpgsql' order by pg_extension.oid`,
  );
  const id = (name: string) => client.escapeIdentifier(name);
  return rows.flatMap(({ name, schema }) => [
    ...(schema === "public" || schema === "pg_catalog" ? [] : [`create schema if not exists ${id(schema)}`]),
    `create extension if not exists ${id(name)} schema ${id(schema)} cascade`,
  ]);
}

/** The schema `public` as it is: its owner, and who may do what in it. */
async function schemaStatements(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ owner: string; statement: string | null }>(
    `select pg_get_userbyid(nspowner) as owner,
            format('grant %s on schema public to %s', privilege_type,
                   case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end) as statement
       from pg_namespace n left join lateral aclexplode(nspacl) on true
      where nspname = 'public' and grantee is distinct from nspowner`,
  );
  const owner = rows[0]?.owner;
  if (owner === undefined) return [];
  return [
    `alter schema public owner to ${client.escapeIdentifier(owner)}`,
    "revoke all on schema public from public",
    ...rows.flatMap(({ statement }) => (statement === null ? [] : [statement])),
  ];
}

/** Entries for every schema replace the built-in defaults, entries for one schema add to them (pg_default_acl). */
async function defaultPrivilegeStatements(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ statement: string }>(
    `with entry as (
       select format('alter default privileges for role %I%s', pg_get_userbyid(defaclrole),
                     case when defaclnamespace = 0 then '' else format(' in schema %I', nspname) end) as scope,
              case defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
                                 when 'T' then 'types' when 'n' then 'schemas' end as objects,
              defaclnamespace, defaclrole, defaclacl
         from pg_default_acl left join pg_namespace n on n.oid = defaclnamespace
        where defaclnamespace = 0 or nspname = 'public'
     )
     select format('%s revoke all on %s from public', scope, objects) as statement from entry where defaclnamespace = 0
     union all
     select format('%s grant %s on %s to %s', scope, privilege_type, objects,
                   case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end)
       from entry, lateral aclexplode(defaclacl)
      where grantee <> defaclrole`,
  );
  return rows.map(({ statement }) => statement);
}
