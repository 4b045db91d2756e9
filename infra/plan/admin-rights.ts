import type { RolePlan } from "../../scripts/model/privileges.ts";
import type {
  AdminFacts,
  DeclaredDatabase,
  DeclaredObjects,
  MissingRight,
  OneRight,
  Quote,
  RightsPlan,
} from "./admin-facts.ts";
import { extensionRights } from "./extension-rights.ts";

/** The first version in which CREATEROLE needs the ADMIN option on the other role. */
const adminOptionVersion = 160_000;
/** The first version in which a new database's schema public belongs to the database's owner. */
const ownSchemaVersion = 150_000;

/**
 * Plans which rights an admin that is not a superuser lacks for a stack, each with the statements that grant it.
 */
export function planRights(facts: AdminFacts, declared: DeclaredObjects, quote: Quote): RightsPlan {
  const extensions = declared.databases.map((database) => extensionRights(facts, database, quote));
  return {
    missing: merged([
      ...attributeRights(facts, declared, quote),
      ...declared.roles.flatMap((role) => roleRights(facts, role, quote)),
      ...membershipRights(facts, declared, quote),
      ...declared.databases.flatMap((database) => databaseRights(facts, database, quote)),
      ...extensions.flatMap(({ missing }) => missing),
    ]),
    leftOut: extensions.flatMap(({ leftOut }) => leftOut),
  };
}

/** Attributes of the admin itself. */
function attributeRights(facts: AdminFacts, { databases, roles }: DeclaredObjects, quote: Quote) {
  const alter = (attribute: string) => [{ sql: `ALTER ROLE ${quote(facts.admin)} ${attribute};` }];
  const missing: OneRight[] = [];
  if (roles.some(({ name }) => name === facts.admin))
    missing.push({
      reason: `The stack has a role of the same name, whose password and attributes it manages.`,
      statements: [],
      hint: "Set another role in pgroundwork:url.",
    });
  if (!facts.createRole)
    missing.push({ reason: `"${facts.admin}" cannot create roles.`, statements: alter("CREATEROLE") });
  const isComplete = ({ name, owner }: { name: string; owner: string }) =>
    facts.databases.some((each) => each.name === name && each.owner === owner);
  const names = databases.filter((database) => !isComplete(database)).map(({ name }) => name);
  if (!facts.createDatabase && names.length > 0)
    missing.push({
      reason: `"${facts.admin}" cannot create databases or change their owner: ${names.join(", ")}.`,
      statements: alter("CREATEDB"),
    });
  // Since version 16, the membership has the option, and the attribute does not matter.
  if (!facts.inherit && facts.version < adminOptionVersion)
    missing.push({
      reason: `"${facts.admin}" does not inherit the privileges of roles.`,
      statements: alter("INHERIT"),
    });
  return missing;
}

/** Warning before a statement that can break another system, such as a backup tool that logs in as the role. */
const takesOver =
  " First make sure that no other system uses the role: the stack adopts it, with fewer rights and a new password.";

/** Rights to change one role, if it exists already. */
function roleRights(facts: AdminFacts, plan: RolePlan, quote: Quote): OneRight[] {
  const role = facts.roles.find(({ name }) => name === plan.name);
  if (role === undefined) return [];
  const isStrict = facts.version >= adminOptionVersion;
  const name = quote(role.name);
  const missing: OneRight[] = [];
  const attribute = (what: string, sql: string, warning = "") =>
    missing.push({
      reason: `Role "${role.name}" exists and is ${what}, which "${facts.admin}" cannot change.${warning}`,
      statements: [{ sql: `ALTER ROLE ${name} ${sql};` }],
    });
  if (role.superuser) attribute("a superuser", "NOSUPERUSER", takesOver);
  // Others need the attribute themselves to take it away; before version 16 only a superuser can.
  const canChange = (own: boolean) => isStrict && own;
  if (role.replication && !plan.replication && !canChange(facts.replication))
    attribute("a replication role", "NOREPLICATION", takesOver);
  if (role.bypassRowSecurity && !canChange(facts.bypassRowSecurity))
    attribute("exempt from row security", "NOBYPASSRLS");
  if (role.createDatabase && isStrict && !facts.createDatabase) attribute("able to create databases", "NOCREATEDB");
  if (isStrict && !role.administered)
    missing.push({
      reason: `Role "${role.name}" exists, and "${facts.admin}" does not have the ADMIN option on it.`,
      statements: [{ sql: `GRANT ${name} TO ${quote(facts.admin)} WITH ADMIN OPTION;` }],
    });
  const others = role.memberOf.filter((each) => !each.revocable && !plan.memberOf.includes(each.role));
  for (const { role: other } of others)
    missing.push({
      reason: `Role "${role.name}" is a member of ${other}, which "${facts.admin}" cannot revoke.`,
      statements: [{ sql: `REVOKE ${quote(other)} FROM ${name};` }],
    });
  return missing;
}

/** Rights to grant roles outside the stack, such as pg_monitor. */
function membershipRights(facts: AdminFacts, { roles }: DeclaredObjects, quote: Quote) {
  if (facts.version < adminOptionVersion) return [];
  const own = new Set(roles.map(({ name }) => name));
  return roles.flatMap((plan): OneRight[] => {
    const held = facts.roles.find(({ name }) => name === plan.name)?.memberOf ?? [];
    return plan.memberOf
      .filter((role) => !own.has(role) && !facts.grantable.includes(role) && !held.some((each) => each.role === role))
      .map((role) => ({
        reason: `"${facts.admin}" cannot grant ${role} to "${plan.name}".`,
        statements: [{ sql: `GRANT ${quote(role)} TO ${quote(facts.admin)} WITH ADMIN OPTION;` }],
      }));
  });
}

/** Rights to own a database and the objects in it. */
function databaseRights(facts: AdminFacts, { name, owner }: DeclaredDatabase, quote: Quote): OneRight[] {
  const admin = quote(facts.admin);
  const database = facts.databases.find((each) => each.name === name);
  if (database === undefined)
    return facts.version >= ownSchemaVersion
      ? []
      : [
          {
            reason: `A new database of PostgreSQL 14 has a schema public that belongs to a superuser: ${name}.`,
            statements: [
              { sql: `CREATE DATABASE ${quote(name)} OWNER ${admin};` },
              { sql: `ALTER SCHEMA public OWNER TO ${admin};`, database: name },
            ],
          },
        ];
  const missing: OneRight[] = [];
  const unchecked = ` Its objects were not checked, because "${facts.admin}" cannot connect to it.`;
  if (database.owner !== owner && !database.owned)
    missing.push({
      reason: `Database "${name}" belongs to ${database.owner}.${database.content === undefined ? unchecked : ""}`,
      statements: [{ sql: actAs(database, facts, quote) ?? `ALTER DATABASE ${quote(name)} OWNER TO ${admin};` }],
    });
  for (const foreign of database.content?.foreign.filter((each) => each.owner !== owner) ?? []) {
    const sql = actAs(foreign, facts, quote);
    missing.push({
      reason: `In database "${name}", ${foreign.object} belongs to ${foreign.owner}.`,
      statements: [sql === undefined ? { sql: `ALTER ${foreign.object} OWNER TO ${admin};`, database: name } : { sql }],
    });
  }
  return missing;
}

/** Returns the statement that lets the admin act as another owner, or undefined for a superuser. */
function actAs(
  { owner, ownerIsSuperuser }: { owner: string; ownerIsSuperuser: boolean },
  facts: AdminFacts,
  quote: Quote,
): string | undefined {
  if (ownerIsSuperuser) return undefined;
  const option = !facts.inherit && facts.version >= adminOptionVersion ? " WITH INHERIT TRUE" : "";
  return `GRANT ${quote(owner)} TO ${quote(facts.admin)}${option};`;
}

/** Joins rights that the same statements grant. Each statement is given once. */
function merged(rights: readonly OneRight[]): MissingRight[] {
  const byStatement = new Map<string, MissingRight>();
  const result: MissingRight[] = [];
  for (const { reason, statements, hint } of rights) {
    const key = ({ sql, database = "" }: (typeof statements)[number]) => `${database} ${sql}`;
    const fresh = statements.filter((statement) => !byStatement.has(key(statement)));
    const earlier = statements.map((statement) => byStatement.get(key(statement))).find((each) => each !== undefined);
    if (earlier !== undefined && fresh.length === 0) {
      earlier.reasons.push(reason);
      continue;
    }
    const right: MissingRight = { reasons: [reason], statements: fresh, ...(hint === undefined ? {} : { hint }) };
    for (const statement of fresh) byStatement.set(key(statement), right);
    result.push(right);
  }
  return result;
}

/** A message names this many reasons for the same statements and counts the others. */
const namedReasons = 3;

/** Returns the message about missing rights, with the statements to copy. */
export function describeRights(admin: string, missing: readonly MissingRight[]): string {
  const lines = missing.flatMap(({ reasons, statements, hint }) => [
    ...reasons.slice(0, namedReasons).map((reason) => `- ${reason}`),
    ...(reasons.length > namedReasons ? [`- The same holds for ${reasons.length - namedReasons} more.`] : []),
    ...statements.flatMap(({ sql, database }) => [
      ...(database === undefined ? [] : [`    -- in database "${database}":`]),
      `    ${sql}`,
    ]),
    ...(hint === undefined ? [] : [`    ${hint}`]),
  ]);
  return [`Role "${admin}" lacks rights on the server that this stack needs:`, ...lines].join("\n");
}
