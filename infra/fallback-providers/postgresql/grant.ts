import type { CheckFailure } from "../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties } from "../../provider-protocol/values.ts";
import { flag, type PropertyTable, sorted, strings, text } from "../property.ts";
import {
  granteeOf,
  grantObjectTypes,
  isRoutine,
  privilegesOn,
  readHoldings,
  schemaless,
  signatureForm,
} from "./grant-objects.ts";
import {
  correction,
  granteeOid,
  type Holding,
  observed,
  privilegeFaults,
  requireParts,
  schemaIsThere,
} from "./privileges.ts";
import { type Definition, resourceType } from "./resource.ts";
import type { Session, Sessions } from "./session.ts";

const properties: PropertyTable = {
  role: { kind: "string", required: true, replaces: true },
  database: { kind: "string", required: true, replaces: true },
  schema: { kind: "string", replaces: true },
  objectType: { kind: "string", required: true, replaces: true, oneOf: grantObjectTypes },
  objects: { kind: "set", replaces: true },
  columns: { kind: "set", replaces: true },
  privileges: { kind: "set", required: true, absent: [] },
  withGrantOption: { kind: "boolean", replaces: true, absent: false },
};

const definition: Definition = {
  typeName: "Grant",
  properties,
  validate,
  id,

  ensure: (sessions, wanted, before) =>
    sessions.change(connectedTo(sessions, wanted), async (session) => {
      await requireParts(session, wanted, ["role"], inSchema(wanted));
      await apply(session, wanted, strings(before ?? {}, "privileges"));
    }),

  async find(sessions, expected) {
    if (!(await sessions.hasDatabase(text(expected, "database")))) return undefined;
    const holdings = await sessions.run(connectedTo(sessions, expected), (session) => holdingsOf(session, expected));
    return holdings === undefined ? undefined : observed(concerned(holdings, expected, []), expected);
  },

  async remove(sessions, outputs) {
    if (!(await sessions.hasDatabase(text(outputs, "database")))) return;
    const gone = { ...outputs, privileges: [], withGrantOption: false };
    await sessions.change(connectedTo(sessions, gone), (session) =>
      apply(session, gone, strings(outputs, "privileges")),
    );
  },
};

export const grant = resourceType(definition);

function validate(inputs: Properties): CheckFailure[] {
  const failures = privilegeFaults("Grant", inputs);
  const refuse = (property: string, reason: string) =>
    failures.push({ property, reason: `Grant.${property} ${reason}` });
  const objectType = text(inputs, "objectType");
  const size = (key: string) => (isUnknown(inputs[key]) ? undefined : strings(inputs, key).length);
  if (inSchema(inputs) && text(inputs, "schema") === "") {
    refuse("schema", `is needed with objectType "${objectType}"`);
  }
  if ((objectType === "database" || objectType === "schema") && (size("objects") ?? 0) > 0) {
    refuse("objects", `cannot be set with objectType "${objectType}"`);
  }
  if (["column", "foreign_data_wrapper", "foreign_server"].includes(objectType) && (size("objects") ?? 1) !== 1) {
    refuse("objects", `must contain exactly one name with objectType "${objectType}"`);
  }
  if (objectType === "column" && (size("privileges") ?? 1) !== 1) {
    refuse("privileges", 'must contain exactly one privilege with objectType "column"');
  }
  if ((objectType === "column") !== (size("columns") ?? (objectType === "column" ? 1 : 0)) > 0) {
    refuse("columns", objectType === "column" ? 'is needed with objectType "column"' : 'needs objectType "column"');
  }
  if (isRoutine(objectType) && !isUnknown(inputs.objects)) {
    for (const object of strings(inputs, "objects").filter((object) => !signatureForm.test(object))) {
      refuse("objects", `contains "${object}", which is neither a name nor name(types)`);
    }
  }
  return failures;
}

function id(values: Properties): string {
  return [
    text(values, "role"),
    text(values, "database"),
    ...(inSchema(values) ? [text(values, "schema")] : []),
    text(values, "objectType"),
    ...sorted(strings(values, "objects")),
    ...sorted(strings(values, "columns")),
  ].join("_");
}

/**
 * Returns the database to connect to. Privileges on a database are visible from any other, so that even a database that
 * accepts no connections can be granted.
 */
function connectedTo(sessions: Sessions, values: Properties): string {
  return text(values, "objectType") === "database" ? sessions.database : text(values, "database");
}

/** Reads the privileges of a grant. Returns undefined if the role or the schema is gone, and its privileges with it. */
async function holdingsOf(session: Session, values: Properties): Promise<Holding[] | undefined> {
  const role = await granteeOid(session, text(values, "role"));
  if (role === undefined) return undefined;
  if (inSchema(values) && !(await schemaIsThere(session, text(values, "schema")))) return undefined;
  return readHoldings(session, values, role);
}

/**
 * Selects the relevant privileges. A column's other privileges belong to other Grants, as under the official plugin.
 */
function concerned(holdings: Holding[], values: Properties, before: readonly string[]): Holding[] {
  if (text(values, "objectType") !== "column") return holdings;
  const named = [...before, ...strings(values, "privileges")];
  const keep = (privileges: string[]) => privileges.filter((one) => named.includes("ALL") || named.includes(one));
  return holdings.map(({ held, grantable, all }) => ({ held: keep(held), grantable: keep(grantable), all }));
}

function inSchema(values: Properties): boolean {
  return !schemaless.includes(text(values, "objectType"));
}

/** @param before privileges of the last run; those that are no longer wanted are revoked */
async function apply(session: Session, wanted: Properties, before: readonly string[]): Promise<void> {
  const holdings = await holdingsOf(session, wanted);
  if (holdings === undefined) return;
  const withGrantOption = flag(wanted, "withGrantOption");
  const needed = correction(concerned(holdings, wanted, before), strings(wanted, "privileges"), withGrantOption);
  const role = granteeOf(session, wanted);
  const on = (list: readonly string[]) => privilegesOn(session, wanted, list);
  if (needed.revoke.length > 0) await session.query(`REVOKE ${on(needed.revoke)} FROM ${role}`);
  if (needed.revokeGrantOption.length > 0) {
    await session.query(`REVOKE GRANT OPTION FOR ${on(needed.revokeGrantOption)} FROM ${role}`);
  }
  if (needed.grant.length > 0) {
    await session.query(`GRANT ${on(needed.grant)} TO ${role}${withGrantOption ? " WITH GRANT OPTION" : ""}`);
  }
}
