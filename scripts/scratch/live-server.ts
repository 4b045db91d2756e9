import type { Client } from "pg";

/** A role, without its password. */
export interface LiveRole {
  name: string;
  superuser: boolean;
  createRole: boolean;
  createDatabase: boolean;
  replication: boolean;
  bypassRowSecurity: boolean;
  inherit: boolean;
}

/** A role membership with its options. */
export interface LiveMembership {
  role: string;
  member: string;
  admin: boolean;
  /** Null before version 16. */
  inherit: boolean | null;
  set: boolean | null;
}

/** A setting stored by ALTER DATABASE or ALTER ROLE. */
export interface LiveSetting {
  /** Database that it applies to; null for all. */
  database: string | null;
  /** Role that it applies to; null for all. */
  role: string | null;
  name: string;
  value: string;
}

export interface LiveExtension {
  name: string;
  schema: string;
}

/**
 * Objects of a live server outside the files of one database, and settings that decide how SQL runs there. Contains no
 * secrets.
 */
export interface LiveServer {
  major: number;
  database: {
    name: string;
    owner: string;
    encoding: string;
    collate: string;
    ctype: string;
    /** `c` libc, `i` ICU, `b` builtin; null before version 15. */
    provider: string | null;
    locale: string | null;
  };
  /** Role that this connection logged in as. */
  login: string;
  /** Superuser that the cluster was created with. */
  bootstrapSuperuser: string;
  roles: LiveRole[];
  memberships: LiveMembership[];
  /** Settings stored for this database, and for all. */
  settings: LiveSetting[];
  /** Settings of postgresql.conf that decide how SQL runs. */
  configuration: Record<string, string>;
  databases: { name: string; owner: string }[];
  tablespaces: { name: string; owner: string }[];
  extensions: LiveExtension[];
  /** Names of all extensions that can be created. */
  availableExtensions: string[];
  /**
   * True if the schema public is as PostgreSQL created it before version 15: owned by a superuser, and writable for all
   * roles.
   */
  hasOldPublicSchema: boolean;
}

/** Groups of settings that decide what a statement means or creates. */
const decisive = [
  "Client Connection Defaults / Statement Behavior",
  "Client Connection Defaults / Locale and Formatting",
  "Customized Options",
  "Query Tuning / Planner Method Configuration",
  "Version and Platform Compatibility / Previous PostgreSQL Versions",
  "Version and Platform Compatibility / Other Platforms and Clients",
];

/** Settings outside these groups that decide if a statement can run. */
const enabling = ["max_prepared_transactions", "track_counts", "wal_level"];

/** Settings that a scratch cluster chooses itself, and limits that the kit's sessions set. */
const own =
  /_timeout$|^(lc_messages|lc_monetary|lc_numeric|lc_time|dynamic_library_path|.*_preload_libraries|temp_tablespaces)$/;

/**
 * Reads everything that a scratch cluster needs from a live server, in a read-only transaction. Works with any role.
 */
export async function readLiveServer(client: Client): Promise<LiveServer> {
  await client.query("begin read only");
  try {
    return await read(client);
  } finally {
    await client.query("rollback");
  }
}

async function read(client: Client): Promise<LiveServer> {
  const rows = async <Row extends object>(sql: string, values?: unknown[]) =>
    (await client.query<Row>(sql, values)).rows;
  const [server] = await rows<{ version: number; login: string; bootstrapSuperuser: string }>(
    `select current_setting('server_version_num')::int as version, session_user as login,
            pg_get_userbyid(10) as "bootstrapSuperuser"`,
  );
  const [database] = await rows<LiveServer["database"]>(
    `select datname as name, pg_get_userbyid(datdba) as owner, pg_encoding_to_char(encoding) as encoding, datcollate as collate,
            datctype as ctype, to_jsonb(d) ->> 'datlocprovider' as provider,
            coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') as locale
       from pg_database d where datname = current_database()`,
  );
  if (server === undefined || database === undefined) throw new Error("the server did not describe itself");
  const configuration = await rows<{ name: string; value: string }>(
    `select name, current_setting(name) as value from pg_settings
      where source in ('configuration file', 'command line') and (category = any ($1) or name = any ($2))`,
    [decisive, enabling],
  );
  const [schema] = await rows<{ old: boolean }>(
    `select rolsuper and nspacl::text[] @> array[rolname || '=UC/' || rolname, '=UC/' || rolname] and cardinality(nspacl) = 2 as old
       from pg_namespace join pg_roles r on r.oid = nspowner where nspname = 'public'`,
  );
  return {
    major: Math.floor(server.version / 10_000),
    database,
    login: server.login,
    bootstrapSuperuser: server.bootstrapSuperuser,
    roles: await rows<LiveRole>(
      `select rolname as name, rolsuper as superuser, rolcreaterole as "createRole", rolcreatedb as "createDatabase",
              rolreplication as replication, rolbypassrls as "bypassRowSecurity", rolinherit as inherit
         from pg_roles where rolname !~ '^pg_' order by oid`,
    ),
    memberships: await rows<LiveMembership>(
      `select distinct pg_get_userbyid(roleid) as role, pg_get_userbyid(member) as member, bool_or(admin_option) as admin,
              bool_or((to_jsonb(m) ->> 'inherit_option')::bool) as inherit, bool_or((to_jsonb(m) ->> 'set_option')::bool) as set
         from pg_auth_members m group by 1, 2 order by 1, 2`,
    ),
    settings: await rows<LiveSetting>(
      `select datname as database, rolname as role, split_part(setting, '=', 1) as name,
              substr(setting, strpos(setting, '=') + 1) as value
         from pg_db_role_setting s left join pg_database d on d.oid = setdatabase left join pg_roles r on r.oid = setrole,
              unnest(setconfig) as setting
        where setdatabase = 0 or datname = current_database()`,
    ),
    configuration: Object.fromEntries(
      configuration.filter(({ name }) => !own.test(name)).map(({ name, value }) => [name, value]),
    ),
    databases: await rows(
      `select datname as name, pg_get_userbyid(datdba) as owner from pg_database where not datistemplate order by 1`,
    ),
    tablespaces: await rows(
      `select spcname as name, pg_get_userbyid(spcowner) as owner from pg_tablespace where spcname !~ '^pg_' order by 1`,
    ),
    extensions: await rows<LiveExtension>(
      `select extname as name, nspname as schema from pg_extension e join pg_namespace n on n.oid = extnamespace
        where extname <> 'plpgsql' order by e.oid`,
    ),
    availableExtensions: (await rows<{ name: string }>("select name from pg_available_extensions order by 1")).map(
      ({ name }) => name,
    ),
    hasOldPublicSchema: schema?.old ?? false,
  };
}
