import { identifier, literal } from "../target/target-table.ts";
import { stageName } from "./ledger.ts";
import { evaluateStaged, rejectStaged, type StagedRows, wholeRow, withLoadSettings } from "./reject-staged.ts";

/** A policy of row security that concerns this login. */
interface Policy {
  name: string;
  permissive: boolean;
  /** SQL of the rows that it accepts, on the names of the table's columns; null accepts all. */
  expression: string | null;
}

/** Policies that a row has to pass, so that it can be inserted and compared. */
const requirements = [
  {
    commands: ["*", "a"],
    expression: "coalesce(pg_get_expr(polwithcheck, polrelid), pg_get_expr(polqual, polrelid))",
    reason: "row security does not let this login insert the row",
  },
  {
    commands: ["*", "r"],
    expression: "pg_get_expr(polqual, polrelid)",
    reason: "row security would hide the row from this login, so that it could not be compared",
  },
] as const;

/**
 * Rejects staged rows that row security does not let this login insert or read.
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
  // A policy can call the table by its name.
  const staged = `${stageName(run, plan)} as ${identifier(table.relation)}`;
  for (const { commands, expression, reason: what } of requirements) {
    const { rows: policies } = await client.query<Policy>(
      `select polname as name, polpermissive as permissive, ${expression} as expression
         from pg_policy where polrelid = $1 and polcmd = any ($2::"char"[])
          and exists (select from unnest(polroles) as role where role = 0 or pg_has_role(role, 'usage')) order by polname`,
      [plan.table.oid, commands],
    );
    const accepted = acceptedBy(policies);
    const refused = `"$action" is null and "$ordinal" in (select "$ordinal" from ${staged} where (${accepted}) is not true)`;
    const reason = `${what} (policies: ${policies.map(({ name }) => name).join(", ") || "none"})`;
    await withLoadSettings(rows, () =>
      evaluateStaged(
        rows,
        [accepted],
        reason,
        () => rejectStaged(rows, refused, wholeRow, literal(reason)),
        table.relation,
      ),
    );
  }
  return [
    `${plan.table.name}: row security can hide rows with the same keys from this login, or refuse updates, which was not checked before the load`,
  ];
}

/** SQL that is true for rows that policies accept: one of the permissive ones, and all of the restrictive ones. */
function acceptedBy(policies: readonly Policy[]): string {
  const sql = ({ expression }: Policy) => `(${expression ?? "true"})`;
  const permissive = policies.filter((policy) => policy.permissive).map(sql);
  const restrictive = policies.filter((policy) => !policy.permissive).map(sql);
  return [`(${permissive.join(" or ") || "false"})`, ...restrictive].join(" and ");
}
