import type { Client } from "pg";
import { scratchSuperuser } from "./embedded-cluster.ts";
import type { LiveMembership, LiveRole } from "./live-server.ts";

/** PostgreSQL's roles that give SQL access to files, programs or other servers. */
const reachingOut = [
  "pg_execute_server_program",
  "pg_read_server_files",
  "pg_write_server_files",
  "pg_create_subscription",
];

/** Functions that read or write files of the server's machine. */
const fileFunctions = /^(lo_import|lo_export|pg_read_|pg_ls_|pg_stat_file|pg_current_logfile|pg_file_)/;

/** Settings that contain names of programs or libraries. */
const programSettings = /(_command|_library|_libraries|_provider)$|^dynamic_library_path$/;

/** Roles of managed servers whose members have almost a superuser's rights. */
const nearlySuperusers = /^(rds_superuser|cloudsqlsuperuser|azure_pg_admin|neon_superuser|doadmin|avnadmin)$/;

/**
 * Returns the names of the roles that are superusers on the live server, or that have a managed server's replacement
 * for it.
 */
export function superusersOf(roles: readonly LiveRole[], memberships: readonly LiveMembership[]): string[] {
  const members = memberships.filter(({ role }) => nearlySuperusers.test(role)).map(({ member }) => member);
  return roles
    .filter(({ name, superuser }) => superuser || nearlySuperusers.test(name) || members.includes(name))
    .map(({ name }) => name);
}

/** Options for creating a live server's roles in a scratch cluster. */
export interface RoleOptions {
  /** True if superusers stay superusers. Otherwise they get all rights that have no effect outside the cluster. */
  isConfined: boolean;
}

/**
 * Creates roles as on the live server, but without passwords and logins. Then creates the memberships between existing
 * roles.
 */
export async function createRoles(
  client: Client,
  roles: readonly LiveRole[],
  memberships: readonly LiveMembership[],
  { isConfined }: RoleOptions,
): Promise<void> {
  if (roles.length === 0) return;
  const id = (name: string) => client.escapeIdentifier(name);
  const statements = roles.map((role) => {
    const powerful = role.superuser && !isConfined;
    const attributes = [
      role.superuser && isConfined ? "superuser" : "nosuperuser",
      role.createRole || powerful ? "createrole" : "nocreaterole",
      role.createDatabase || powerful ? "createdb" : "nocreatedb",
      role.replication || powerful ? "replication" : "noreplication",
      role.bypassRowSecurity || powerful ? "bypassrls" : "nobypassrls",
      role.inherit ? "inherit" : "noinherit",
    ];
    return `create role ${id(role.name)} nologin ${attributes.join(" ")}`;
  });
  await client.query(statements.join("; "));
  await joinRoles(client, new Set(roles.map(({ name }) => name)), memberships, { isConfined });
}

/** Creates the memberships of some roles, if the other role exists. */
export async function joinRoles(
  client: Client,
  names: ReadonlySet<string>,
  memberships: readonly LiveMembership[],
  { isConfined }: RoleOptions,
): Promise<void> {
  const { rows } = await client.query<{ name: string }>("select rolname as name from pg_roles");
  const there = new Set(rows.map(({ name }) => name));
  const statements = memberships
    .filter(({ role, member }) => names.has(role) || names.has(member))
    .filter(({ role, member }) => there.has(role) && there.has(member) && role !== "pg_database_owner")
    .filter(({ role }) => isConfined || !reachingOut.includes(role))
    .map(({ role, member, admin, inherit, set }) => {
      const options = [
        `admin ${admin}`,
        ...(inherit === null ? [] : [`inherit ${inherit}`]),
        ...(set === null ? [] : [`set ${set}`]),
      ];
      return `grant ${client.escapeIdentifier(role)} to ${client.escapeIdentifier(member)} with ${options.join(", ")}`;
    });
  if (statements.length > 0) await client.query(statements.join("; "));
}

/**
 * Gives a role that is a superuser on the live server all rights that have no effect outside the cluster: other roles'
 * rights, settings, functions. It can run no programs, and read and write no files. Call it again after other roles
 * were created.
 */
export async function empower(client: Client, role: string): Promise<void> {
  const name = client.escapeLiteral(role);
  await client.query(
    `do $do$
     declare each record;
     begin
       for each in select rolname from pg_roles where rolname not in (${name}, '${scratchSuperuser}')
                      and (rolname !~ '^pg_' or rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_monitor', 'pg_signal_backend',
                                                            'pg_checkpoint', 'pg_maintain', 'pg_use_reserved_connections')) loop
         begin
           execute format('grant %I to %I with admin true, inherit true, set true', each.rolname, ${name});
         -- It is a member of this one.
         exception when invalid_grant_operation then null;
         end;
       end loop;
       execute format('alter role %I set createrole_self_grant = %L', ${name}, 'set, inherit');
       for each in select s.name, s.context from pg_settings s
                    where s.context <> 'internal' and s.name !~ ${client.escapeLiteral(programSettings.source)} loop
         execute format('grant alter system%s on parameter %I to %I',
                        case when each.context like 'superuser%' then ', set' else '' end, each.name, ${name});
       end loop;
       for each in select oid::regprocedure as signature from pg_proc
                    where pronamespace = 'pg_catalog'::regnamespace and not has_function_privilege('public', oid, 'execute')
                      and proname !~ ${client.escapeLiteral(fileFunctions.source)} loop
         execute format('grant execute on function %s to %I', each.signature, ${name});
       end loop;
     end $do$`,
  );
}

/**
 * Prevents roles from creating untrusted extensions if they could not create them on the live server. In scratch
 * clusters all extensions are marked as trusted, for roles that are superusers on the live server.
 *
 * @param superusers roles that are superusers on the live server
 */
export async function guardExtensions(
  client: Client,
  untrusted: readonly string[],
  superusers: readonly string[],
): Promise<void> {
  const list = (names: readonly string[]) =>
    `array[${names.map((name) => client.escapeLiteral(name)).join(", ")}]::text[]`;
  await client.query(
    `set allow_system_table_mods = on;
     create function pg_catalog.pgroundwork_guard() returns event_trigger language plpgsql set search_path = pg_catalog as $guard$
     declare extension text;
     begin
       if current_user = any (${list([scratchSuperuser, ...superusers])}) then return; end if;
       select object_identity into extension from pg_event_trigger_ddl_commands()
        where object_type = 'extension' and trim(both '"' from object_identity) = any (${list(untrusted)});
       if found then
         raise insufficient_privilege using message = format('permission denied to create extension "%s"', trim(both '"' from extension)),
                                            hint = 'Must be superuser to create this extension.';
       end if;
     end $guard$;
     create event trigger pgroundwork_guard on ddl_command_end when tag in ('CREATE EXTENSION') execute function pg_catalog.pgroundwork_guard();
     reset allow_system_table_mods`,
  );
}
