import { OperationError } from "../../../scripts/core/operation-error.ts";
import type { CheckFailure } from "../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties } from "../../provider-protocol/values.ts";
import { sameValue, sorted, strings, text } from "../property.ts";
import type { Session } from "./session.ts";

/** Privileges by the official plugin's object types (from PostgreSQL's documentation of GRANT). */
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

/** Privileges of one role on one object, or in one default. */
export interface Holding {
  held: string[];
  /** Privileges with the grant option. */
  grantable: string[];
  /** Privileges that ALL includes on this server and kind of object. */
  all: string[];
}

/** Returns the query columns of a {@link Holding}. `acl` is an aclitem[] with PUBLIC's defaults filled in. */
export function holdingColumns(acl: string, everything: string, grantee: string): string {
  const of = (list: string, condition: string) =>
    `ARRAY(SELECT DISTINCT privilege_type FROM pg_catalog.aclexplode(${list}) WHERE ${condition} ORDER BY 1)`;
  return [
    `${of(acl, `grantee = ${grantee}`)} AS held`,
    `${of(acl, `grantee = ${grantee} AND is_grantable`)} AS grantable`,
    `${of(everything, "TRUE")} AS "all"`,
  ].join(", ");
}

/** Returns the role as SQL writes it. `public` is not a role but means everyone. */
export function grantee(session: Session, role: string): string {
  return role === "public" ? "PUBLIC" : session.identifier(role);
}

/** Returns the role's oid, or 0 for PUBLIC as in aclitems. Returns undefined if the role does not exist. */
export async function granteeOid(session: Session, role: string): Promise<number | undefined> {
  if (role === "public") return 0;
  const [row] = await session.query<{ oid: number }>("SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1", [role]);
  return row?.oid;
}

/**
 * Privileges to revoke and grant so that every holding matches. Privileges that stay are never revoked, not even for a
 * moment.
 */
export interface Correction {
  revoke: string[];
  revokeGrantOption: string[];
  grant: string[];
}

/** Compares privileges with the wanted ones and returns the changes that are needed. */
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
 * Returns the outputs `privileges` and `withGrantOption`. If every holding matches the declaration, they are as
 * declared. Otherwise they show the first holding that differs.
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

/** Finds faults that Grant and DefaultPrivileges have in common. */
export function privilegeFaults(typeName: string, inputs: Properties): CheckFailure[] {
  const failures: CheckFailure[] = [];
  const objectType = text(inputs, "objectType");
  const allowed = privilegesOf[objectType];
  if (!isUnknown(inputs.privileges) && allowed !== undefined) {
    for (const privilege of strings(inputs, "privileges")) {
      if (privilege === "ALL" || allowed.includes(privilege)) continue;
      const reason = `${typeName}.privileges: "${privilege}" is not a privilege of a ${objectType}; the privileges are ALL, ${allowed.join(", ")}`;
      failures.push({ property: "privileges", reason });
    }
  }
  if (inputs.withGrantOption === true && inputs.role === "public") {
    const reason = `${typeName}.withGrantOption cannot be true for the role "public": grant options can only be granted to roles`;
    failures.push({ property: "withGrantOption", reason });
  }
  return failures;
}

/** Expands ALL. For a missing object the word is kept, so that the grant fails with the server's reason. */
function expanded(wanted: readonly string[], all: readonly string[]): readonly string[] {
  return wanted.includes("ALL") && all.length > 0 ? all : wanted;
}

export async function schemaIsThere(session: Session, name: string): Promise<boolean> {
  const rows = await session.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", [name]);
  return rows.length > 0;
}

/** Reports which part of a grant is missing. PostgreSQL accepts a revocation without effect silently. */
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
    throw new OperationError(`Role "${role}" does not exist, so privileges in database "${database}" cannot be set.`, {
      hint: "Create the role first (dependsOn), or correct its name.",
    });
  }
  const schema = text(values, "schema");
  if (!inSchema || schema === "" || (await schemaIsThere(session, schema))) return;
  throw new OperationError(`Schema "${schema}" does not exist in database "${database}".`, {
    hint: "Create the schema first (dependsOn), or correct its name.",
  });
}
