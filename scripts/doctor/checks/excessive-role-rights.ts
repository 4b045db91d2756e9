import type { Check, Problem } from "../check.ts";
import { fix } from "../fix.ts";

interface Row {
  role: string;
  right: string;
  /** Statements that take the right and give it back. */
  revoke: string;
  grant: string;
}

/**
 * Lists logins that can do everything, or can run programs and read files on the server. The superuser that initdb
 * creates has object id 10; pg_roles shows attributes to every role.
 */
const query = `
  select quote_ident(rolname) as role, attribute as right, format('alter role %I no%s', rolname, attribute) as revoke,
         format('alter role %I %s', rolname, attribute) as grant
    from pg_roles, lateral (values ('superuser', rolsuper), ('bypassrls', rolbypassrls and not rolsuper),
                                   ('createrole', rolcreaterole and not rolsuper)) has (attribute, is_set)
   where rolcanlogin and is_set and pg_roles.oid <> 10 and rolname !~ '^pg_'
  union all
  select quote_ident(member.rolname), granted.rolname::text, format('revoke %I from %I', granted.rolname, member.rolname),
         format('grant %I to %I', granted.rolname, member.rolname)
    from pg_auth_members join pg_roles granted on granted.oid = roleid join pg_roles member on member.oid = pg_auth_members.member
   where granted.rolname in ('pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files') and member.rolname !~ '^pg_'
   order by 1, 2`;

export const excessiveRoleRights: Check = {
  name: "excessive-role-rights",
  title: "A role has more rights than it needs",
  scope: "server",
  async find(observer) {
    const rows = await observer.query<Row>(query);
    const problems = rows.map(
      ({ role, right, revoke, grant }): Problem => ({
        object: `${role}: ${right}`,
        level: right === "createrole" ? "info" : "warning",
        detail: `Role ${role} has ${right}. ${effects[right] ?? ""}`.trim(),
        objects: [role],
        hint: "Check first that no administrator and no tool of the hosting provider needs it.",
        fix: fix([revoke], "It takes no lock on tables, and applies to new statements.", [grant]),
      }),
    );
    return { problems };
  },
};

const effects: Readonly<Record<string, string>> = {
  superuser: "It can read and change everything, and run programs on the server.",
  bypassrls: "Row level security does not apply to it.",
  createrole: "It can create roles and give them its own rights.",
  pg_execute_server_program: "It can run any program as the server's account, and so become superuser.",
  pg_write_server_files: "It can overwrite any file of the server's account, and so become superuser.",
  pg_read_server_files: "It can read any file of the server's account, including all data.",
};
