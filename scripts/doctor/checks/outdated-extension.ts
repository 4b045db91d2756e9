import type { Check } from "../check.ts";
import { fix, quoteLiteral } from "../fix.ts";

interface Row {
  name: string;
  installed: string;
  available: string;
}

/** The version on disk is newer only if it can be reached: a package can also be older than the database. */
const query = `
  select quote_ident(e.extname) as name, e.extversion as installed, a.default_version as available
    from pg_extension e join pg_available_extensions a on a.name = e.extname
   where e.extversion <> a.default_version
     and exists (select from pg_extension_update_paths(e.extname) where source = e.extversion and target = a.default_version and path is not null)
   order by 1`;

export const outdatedExtension: Check = {
  name: "outdated-extension",
  title: "An extension is older than its files on the server",
  scope: "database",
  async find(observer) {
    const rows = await observer.query<Row>(query);
    const problems = rows.map(({ name, installed, available }) => ({
      object: name,
      level: "info" as const,
      detail: `Extension ${name} has version ${installed}; the server has ${available} installed.`,
      hint: "Read the extension's release notes first: there is no statement that returns to the older version.",
      fix: fix(
        [`alter extension ${name} update to ${quoteLiteral(available)}`],
        "It locks the extension's own objects for a moment.",
      ),
    }));
    return { problems };
  },
};
