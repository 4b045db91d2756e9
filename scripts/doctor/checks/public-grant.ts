import { isOwnSchema } from "../../catalog/own-objects.ts";
import type { Check, Problem } from "../check.ts";
import { fix } from "../fix.ts";
import { isOwnRelation, relationName } from "../own-relations.ts";

interface Row {
  object: string;
  /** Object as GRANT names it: `table public.orders`. */
  on: string;
  privileges: string;
  kind: "database" | "schema" | "table" | "column" | "function";
}

/** PUBLIC may use types, and run ordinary functions with the caller's rights, by default. That gives no access. */
const query = `
  select quote_ident(datname) as object, 'database ' || quote_ident(datname) as on, string_agg(privilege_type, ', ' order by 1) as privileges,
         'database' as kind
    from pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) as acl
   where datname = current_database() and acl.grantee = 0 group by datname
  union all
  select quote_ident(nspname), 'schema ' || quote_ident(nspname), privilege_type, 'schema'
    from pg_namespace, aclexplode(nspacl) as acl
   where ${isOwnSchema("nspname")} and acl.grantee = 0 and privilege_type = 'CREATE'
  union all
  select ${relationName}, case c.relkind when 'S' then 'sequence ' else 'table ' end || ${relationName},
         string_agg(privilege_type, ', ' order by privilege_type), 'table'
    from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) as acl
   where ${isOwnRelation} and acl.grantee = 0 group by c.oid, n.nspname, c.relname, c.relkind
  union all
  select ${relationName} || '.' || quote_ident(attname), 'table ' || ${relationName}, privilege_type || format(' (%I)', attname), 'column'
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute on attrelid = c.oid, aclexplode(attacl) as acl
   where ${isOwnRelation} and acl.grantee = 0 and not attisdropped
  union all
  select f.oid::regprocedure::text, case f.prokind when 'p' then 'procedure ' else 'function ' end || f.oid::regprocedure::text, 'EXECUTE', 'function'
    from pg_proc f join pg_namespace n on n.oid = pronamespace, aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl
   where ${isOwnSchema("n.nspname")} and prosecdef and acl.grantee = 0 and privilege_type = 'EXECUTE'
     and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = f.oid and deptype = 'e')
   order by 4, 1`;

export const publicGrant: Check = {
  name: "public-grant",
  title: "Every role has a privilege",
  scope: "database",
  async find(observer) {
    const rows = await observer.query<Row>(query);
    const problems = rows.map(
      ({ object, on, privileges, kind }): Problem => ({
        object: `${kind} ${object}`,
        level: kind === "database" ? "info" : "warning",
        detail: `PUBLIC has ${privileges} on ${on}: every role that can log in has it, too.${kind === "function" ? " The function runs with its owner's rights." : ""}`,
        objects: [object],
        hint: "Grant it first to the roles that need it.",
        fix: fix([`revoke ${privileges} on ${on} from public`], "It blocks no reads or writes.", [
          `grant ${privileges} on ${on} to public`,
        ]),
      }),
    );
    return { problems };
  },
};
