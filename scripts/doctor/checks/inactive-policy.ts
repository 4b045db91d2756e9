import type { Check } from "../check.ts";
import { fix } from "../fix.ts";
import { isOwnRelation, relationName } from "../own-relations.ts";

const query = `
  select ${relationName} as table, array_agg(format('%I', polname) order by polname) as policies
    from pg_policy join pg_class c on c.oid = polrelid join pg_namespace n on n.oid = c.relnamespace
   where ${isOwnRelation} and not c.relrowsecurity
   group by n.nspname, c.relname order by 1`;

export const inactivePolicy: Check = {
  name: "inactive-policy",
  title: "A table has policies, but row level security is off",
  scope: "database",
  async find(observer) {
    const rows = await observer.query<{ table: string; policies: string[] }>(query);
    const problems = rows.map(({ table, policies }) => ({
      object: table,
      level: "error" as const,
      detail: `${table} has policies (${policies.join(", ")}), but row level security is off: they protect nothing.`,
      hint: "From then on, roles see only rows that a policy allows; the owner still sees all, unless it is forced.",
      fix: fix([`alter table ${table} enable row level security`], `ACCESS EXCLUSIVE on ${table}, for a moment.`, [
        `alter table ${table} disable row level security`,
      ]),
    }));
    return { problems };
  },
};
