import { monitoringSchema } from "../../connection/observer.ts";
import { statementViews } from "../../databases/monitoring-schema.ts";
import { serverRolePlans } from "../../model/privileges.ts";
import type { Check } from "../check.ts";
import { fix, quoteLiteral } from "../fix.ts";

interface Row {
  name: string;
  installed: string;
  available: string;
  schema: string;
  /** Views of the extension in the monitoring schema: the update would fail because they depend on it. */
  views: string[];
}

/** The version on disk is newer only if it can be reached: a package can also be older than the database. */
const query = `
  select quote_ident(e.extname) as name, e.extversion as installed, a.default_version as available,
         quote_ident(n.nspname) as schema,
         array(select c.relname::text from pg_class c join pg_namespace m on m.oid = c.relnamespace
                where e.extname = 'pg_stat_statements' and m.nspname = '${monitoringSchema}' and m.oid <> e.extnamespace
                  and c.relname::text = any ($1) and c.relkind = 'v' order by 1) as views
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace join pg_available_extensions a on a.name = e.extname
   where e.extversion <> a.default_version
     and exists (select from pg_extension_update_paths(e.extname) where source = e.extversion and target = a.default_version and path is not null)
   order by 1`;

/** The role that reads the monitoring schema of a stack. */
const monitor = serverRolePlans.monitor.name;

export const outdatedExtension: Check = {
  name: "outdated-extension",
  title: "An extension is older than its files on the server",
  scope: "database",
  async find(observer) {
    const rows = await observer.query<Row>(query, [statementViews]);
    const problems = rows.map(({ name, installed, available, schema, views }) => ({
      object: name,
      level: "info" as const,
      detail: `Extension ${name} has version ${installed}; the server has ${available} installed.`,
      hint: "Read the extension's release notes first: there is no statement that returns to the older version.",
      fix: fix(
        [
          ...views.map((view) => `drop view ${monitoringSchema}.${view}`),
          `alter extension ${name} update to ${quoteLiteral(available)}`,
          ...views.flatMap((view) => [
            `create view ${monitoringSchema}.${view} as select * from ${schema}.${view}`,
            `grant select on ${monitoringSchema}.${view} to ${monitor}`,
          ]),
        ],
        "It locks the extension's own objects for a moment.",
      ),
    }));
    return { problems };
  },
};
