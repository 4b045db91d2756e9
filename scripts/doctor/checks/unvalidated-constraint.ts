import type { Check } from "../check.ts";
import { fix } from "../fix.ts";
import { isOwnRelation, relationName } from "../own-relations.ts";

const query = `
  select ${relationName} as table, format('%I', conname) as constraint, pg_get_constraintdef(k.oid) as definition
    from pg_constraint k join pg_class c on c.oid = conrelid join pg_namespace n on n.oid = c.relnamespace
   where ${isOwnRelation} and not convalidated and conparentid = 0
   order by 1, 2`;

export const unvalidatedConstraint: Check = {
  name: "unvalidated-constraint",
  title: "A constraint was not checked for existing rows",
  scope: "database",
  async find(observer) {
    const rows = await observer.query<{ table: string; constraint: string; definition: string }>(query);
    const problems = rows.map(({ table, constraint, definition }) => ({
      object: `${table}.${constraint}`,
      level: "warning" as const,
      detail: `The constraint ${constraint} of ${table} holds for new rows only: ${definition}`,
      objects: [table],
      hint: "If the validation fails, correct the rows that its error names.",
      fix: fix(
        [`alter table ${table} validate constraint ${constraint}`],
        "SHARE UPDATE EXCLUSIVE: blocks no reads or writes. It reads the whole table.",
      ),
    }));
    return { problems };
  },
};
