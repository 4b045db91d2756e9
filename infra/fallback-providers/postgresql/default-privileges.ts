import type { CheckFailure } from "../../provider-protocol/resource-type.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { flag, type PropertyTable, strings, text } from "../property.ts";
import {
  correction,
  grantee,
  granteeOid,
  type Holding,
  holdingColumns,
  observed,
  privilegeFaults,
  requireParts,
} from "./privileges.ts";
import { type Definition, resourceType } from "./resource.ts";
import type { Session } from "./session.ts";

/**
 * Letters of `pg_default_acl.defaclobjtype` by the official plugin's object types. `acldefault` uses the same letters,
 * except for sequences.
 */
const catalogLetters: Readonly<Record<string, string>> = {
  table: "r",
  sequence: "S",
  function: "f",
  routine: "f",
  type: "T",
  schema: "n",
};

const properties: PropertyTable = {
  role: { kind: "string", required: true, replaces: true },
  database: { kind: "string", required: true, replaces: true },
  owner: { kind: "string", required: true, replaces: true },
  schema: { kind: "string", replaces: true },
  objectType: { kind: "string", required: true, replaces: true, oneOf: Object.keys(catalogLetters) },
  privileges: { kind: "set", required: true, absent: [] },
  withGrantOption: { kind: "boolean", replaces: true, absent: false },
};

const definition: Definition = {
  typeName: "DefaultPrivileges",
  properties,
  validate,
  id: (values) =>
    ["role", "database", "schema", "owner", "objectType"].map((key) => text(values, key) || "noschema").join("_"),

  ensure: (sessions, wanted) =>
    sessions.change(text(wanted, "database"), async (session) => {
      await requireParts(session, wanted, ["role", "owner"], true);
      await apply(session, wanted);
    }),

  async find(sessions, expected) {
    const database = text(expected, "database");
    if (!(await sessions.hasDatabase(database))) return undefined;
    const holding = await sessions.run(database, (session) => readDefaults(session, expected));
    if (holding === undefined) return undefined;
    // As under the official plugin, defaults that are entirely gone leave the state, and the next up creates them
    // again.
    if (holding.held.length === 0 && strings(expected, "privileges").length > 0) return undefined;
    return observed([holding], expected);
  },

  async remove(sessions, outputs) {
    const database = text(outputs, "database");
    if (!(await sessions.hasDatabase(database))) return;
    await sessions.change(database, (session) => apply(session, { ...outputs, privileges: [] }));
  },
};

export const defaultPrivileges = resourceType(definition);

function validate(inputs: Properties): CheckFailure[] {
  const failures = privilegeFaults("DefaultPrivileges", inputs);
  if (inputs.objectType === "schema" && text(inputs, "schema") !== "") {
    const reason = 'DefaultPrivileges.schema cannot be set with objectType "schema": schemas cannot contain schemas';
    failures.push({ property: "schema", reason });
  }
  return failures;
}

async function apply(session: Session, wanted: Properties): Promise<void> {
  const holding = await readDefaults(session, wanted);
  // If a role, owner or schema is gone, its defaults are gone too.
  if (holding === undefined) return;
  const withGrantOption = flag(wanted, "withGrantOption");
  const needed = correction([holding], strings(wanted, "privileges"), withGrantOption);
  const schema = text(wanted, "schema");
  const inSchema = schema === "" ? "" : ` IN SCHEMA ${session.identifier(schema)}`;
  const scope = `ALTER DEFAULT PRIVILEGES FOR ROLE ${session.identifier(text(wanted, "owner"))}${inSchema}`;
  const objects = `ON ${text(wanted, "objectType").toUpperCase()}S`;
  const role = grantee(session, text(wanted, "role"));
  const list = (privileges: readonly string[]) => privileges.join(", ");
  if (needed.revoke.length > 0) await session.query(`${scope} REVOKE ${list(needed.revoke)} ${objects} FROM ${role}`);
  if (needed.revokeGrantOption.length > 0) {
    await session.query(`${scope} REVOKE GRANT OPTION FOR ${list(needed.revokeGrantOption)} ${objects} FROM ${role}`);
  }
  if (needed.grant.length > 0) {
    const option = withGrantOption ? " WITH GRANT OPTION" : "";
    await session.query(`${scope} GRANT ${list(needed.grant)} ${objects} TO ${role}${option}`);
  }
}

/**
 * Reads the privileges that a role will have on objects created by the owner. Without a schema, a missing entry means
 * PostgreSQL's built-in defaults (PUBLIC may execute new functions). With a schema, entries only add to those, and a
 * missing one means none.
 */
async function readDefaults(session: Session, values: Properties): Promise<Holding | undefined> {
  const role = await granteeOid(session, text(values, "role"));
  const owner = await granteeOid(session, text(values, "owner"));
  if (role === undefined || owner === undefined) return undefined;
  const letter = catalogLetters[text(values, "objectType")] ?? "";
  const schema = text(values, "schema");
  const builtIn = `pg_catalog.acldefault(${session.literal(letter === "S" ? "s" : letter)}::"char", $2::oid)`;
  const entry = `(SELECT defaclacl FROM pg_catalog.pg_default_acl
                   WHERE defaclrole = $2 AND defaclobjtype = $3::"char" AND defaclnamespace = n.oid)`;
  const acl = schema === "" ? `COALESCE(${entry}, ${builtIn})` : entry;
  const namespace =
    schema === "" ? "(SELECT 0::oid AS oid)" : "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $4)";
  const [holding] = await session.query<Holding & Properties>(
    `SELECT ${holdingColumns(acl, builtIn, "$1::oid")} FROM ${namespace} n`,
    [role, owner, letter, ...(schema === "" ? [] : [schema])],
  );
  return holding;
}
