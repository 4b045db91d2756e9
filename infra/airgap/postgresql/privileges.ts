import { OperationError } from "../../../scripts/errors/operation-error.ts";
import type { CheckFailure } from "../../plugin/resource-type.ts";
import { isUnknown, type Properties } from "../../plugin/values.ts";
import { sameValue, sorted, strings, text } from "../property.ts";
import type { Session } from "./session.ts";

/** Privileges by the official plugin's object types (PostgreSQL's documentation of GRANT). */
export const privilegesOf: Readonly<Record<string, readonly string[]>> = {
  database: ["CREATE", "CONNECT", "TEMPORARY"],
  schema: ["CREATE", "USAGE"],
  table: ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"],
  column: ["SELECT", "INSERT", "UPDATE", "REFERENCES"],
  sequence: ["USAGE", "SELECT", "UPDATE"],
  function: ["EXECUTE"],
  procedure: ["EXECUTE"],
  routine: ["EXECUTE"],
  type: ["USAGE"],
  foreign_data_wrapper: ["USAGE"],
  foreign_server: ["USAGE"],
};

/** What one role holds on one object, or by one default. */
export interface Holding {
  held: string[];
  /** The ones it may grant on. */
  grantable: string[];
  /** What ALL comes to on this server and kind of object. */
  all: string[];
}

/** The `acl` columns of a query that answers {@link Holding}s; `acl` is an aclitem[] in which PUBLIC's defaults are filled in. */
export function holdingColumns(acl: string, everything: string, grantee: string): string {
  const of = (list: string, condition: string) =>
    `ARRAY(SELECT DISTINCT privilege_type FROM pg_catalog.aclexplode(${list}) WHERE ${condition} ORDER BY 1)`;
  return [
    `${of(acl, `grantee = ${grantee}`)} AS held`,
    `${of(acl, `grantee = ${grantee} AND is_grantable`)} AS grantable`,
    `${of(everything, "TRUE")} AS "all"`,
  ].join(", ");
}

/** The role as SQL writes it; `public` is not a role but everyone. */
export function grantee(session: Session, role: string): string {
  return role === "public" ? "PUBLIC" : session.identifier(role);
}

/** Its oid, 0 for PUBLIC as in aclitems; undefined: no such role. */
export async function granteeOid(session: Session, role: string): Promise<number | undefined> {
  if (role === "public") return 0;
  const [row] = await session.query<{ oid: number }>("SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1", [role]);
  return row?.oid;
}

/** What has to be taken and given so that every holding is what is wanted. Nothing is taken that stays, not even for a moment. */
export interface Correction {
  revoke: string[];
  revokeGrantOption: string[];
  grant: string[];
}

export function correction(
  holdings: readonly Holding[],
  wanted: readonly string[],
  withGrantOption: boolean,
): Correction {
  const revoke = new Set<string>();
  const revokeGrantOption = new Set<string>();
  const grant = new Set<string>();
  for (const holding of holdings) {
    const target = expanded(wanted, holding.all);
    for (const privilege of holding.held) if (!target.includes(privilege)) revoke.add(privilege);
    for (const privilege of target) {
      if (!holding.held.includes(privilege)) grant.add(privilege);
      const grantable = holding.grantable.includes(privilege);
      if (withGrantOption && !grantable) grant.add(privilege);
      if (!withGrantOption && grantable) revokeGrantOption.add(privilege);
    }
  }
  return { revoke: sorted([...revoke]), revokeGrantOption: sorted([...revokeGrantOption]), grant: sorted([...grant]) };
}

/**
 * The outputs `privileges` and `withGrantOption` of what was found: as declared where every holding is that, else the first one that
 * is not, so that the difference shows.
 */
export function observed(holdings: readonly Holding[], expected: Properties): Properties {
  const wanted = strings(expected, "privileges");
  const differing = holdings.find(({ held, all }) => !sameValue({ kind: "set" }, held, expanded(wanted, all)));
  const privileges = differing === undefined ? wanted : differing.held;
  const held = holdings.filter((holding) => holding.held.length > 0);
  const withGrantOption =
    held.length === 0
      ? expected.withGrantOption === true
      : held.every((holding) => sameValue({ kind: "set" }, holding.held, holding.grantable));
  return { privileges: sorted(privileges), withGrantOption };
}

/** Faults that Grant and DefaultPrivileges share. */
export function privilegeFaults(typeName: string, inputs: Properties): CheckFailure[] {
  const failures: CheckFailure[] = [];
  const objectType = text(inputs, "objectType");
  const allowed = privilegesOf[objectType];
  if (!isUnknown(inputs.privileges) && allowed !== undefined) {
    for (const privilege of strings(inputs, "privileges")) {
      if (privilege === "ALL" || allowed.includes(privilege)) continue;
      const reason = `${typeName}.privileges: "${privilege}" is no privilege of a ${objectType}; there are ALL, ${allowed.join(", ")}`;
      failures.push({ property: "privileges", reason });
    }
  }
  if (inputs.withGrantOption === true && inputs.role === "public") {
    const reason = `${typeName}.withGrantOption cannot be true for the role "public": PostgreSQL gives no grant options to everyone`;
    failures.push({ property: "withGrantOption", reason });
  }
  return failures;
}

/** An object that is not there has no ALL to expand; the word is kept, so that granting it fails with the server's reason. */
function expanded(wanted: readonly string[], all: readonly string[]): readonly string[] {
  return wanted.includes("ALL") && all.length > 0 ? all : wanted;
}

export async function schemaIsThere(session: Session, name: string): Promise<boolean> {
  const rows = await session.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", [name]);
  return rows.length > 0;
}

/** Says which of a grant's parts is missing: PostgreSQL takes a revocation of nothing from nobody for done. */
export async function requireParts(
  session: Session,
  values: Properties,
  roles: readonly string[],
  inSchema: boolean,
): Promise<void> {
  const database = text(values, "database");
  for (const key of roles) {
    const role = text(values, key);
    if ((await granteeOid(session, role)) !== undefined) continue;
    throw new OperationError(`There is no role "${role}" to set privileges for in database "${database}".`, {
      remedy: "Make the role first (dependsOn), or correct its name.",
    });
  }
  const schema = text(values, "schema");
  if (!inSchema || schema === "" || (await schemaIsThere(session, schema))) return;
  throw new OperationError(`There is no schema "${schema}" in database "${database}".`, {
    remedy: "Make the schema first (dependsOn), or correct its name.",
  });
}
