import { identifier, literal } from "../target/target-table.ts";
import { stageName } from "./ledger.ts";
import { evaluateStaged, rejectStaged, type StagedRows, wholeRow, withLoadSettings } from "./reject-staged.ts";

/** A policy of row security for inserted rows that concerns this login. */
interface Policy {
  name: string;
  permissive: boolean;
  /** SQL of what it accepts, on the names of the table's columns; null accepts all. */
  expression: string | null;
}

/**
 * Rejects staged rows that row security does not let this login insert.
 *
 * @returns what could not be checked, for the report
 */
export async function checkPolicies(rows: StagedRows): Promise<string[]> {
  const { client, run, plan } = rows;
  if (!plan.table.rowSecurity) return [];
  const { rows: tables } = await client.query<{ active: boolean; relation: string }>(
    "select row_security_active(oid) as active, relname as relation from pg_class where oid = $1",
    [plan.table.oid],
  );
  const [table] = tables;
  if (table?.active !== true) return [];
  const { rows: policies } = await client.query<Policy>(
    `select polname as name, polpermissive as permissive, coalesce(pg_get_expr(polwithcheck, polrelid), pg_get_expr(polqual, polrelid)) as expression
       from pg_policy where polrelid = $1 and polcmd in ('*', 'a')
        and exists (select from unnest(polroles) as role where role = 0 or pg_has_role(role, 'usage')) order by polname`,
    [plan.table.oid],
  );
  const notes = [
    `${plan.table.name}: row security can hide rows with the same keys from this login, or refuse updates, which was not checked before the load`,
  ];
  const sql = ({ expression }: Policy) => `(${expression ?? "true"})`;
  const permissive = policies.filter((policy) => policy.permissive).map(sql);
  const restrictive = policies.filter((policy) => !policy.permissive).map(sql);
  const accepted = [`(${permissive.join(" or ") || "false"})`, ...restrictive].join(" and ");
  // A policy can call the table by its name.
  const staged = `${stageName(run, plan)} as ${identifier(table.relation)}`;
  const refused = `"$action" is null and "$ordinal" in (select "$ordinal" from ${staged} where (${accepted}) is not true)`;
  const names = policies.map(({ name }) => name).join(", ") || "none";
  const reason = `row security does not let this login insert the row (policies: ${names})`;
  await withLoadSettings(rows, () =>
    evaluateStaged(
      rows,
      [accepted],
      reason,
      () => rejectStaged(rows, refused, wholeRow, literal(reason)),
      table.relation,
    ),
  );
  return notes;
}
