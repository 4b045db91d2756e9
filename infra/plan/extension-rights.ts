import type { AdminFacts, DeclaredDatabase, OfferedExtension, OneRight, Quote, RightsPlan } from "./admin-facts.ts";

/** Settings of managed servers with the only extensions that can be created; `*` allows all. */
const allowLists = ["azure.extensions", "rds.allowed_extensions"];
/** Setting of managed servers with restricted extensions that can be created. */
const elevatedList = "supautils.privileged_extensions";

/** Plans the rights to create the extensions of one database. Optional ones are left out instead. */
export function extensionRights(facts: AdminFacts, database: DeclaredDatabase, quote: Quote) {
  const existing = facts.databases.find(({ name }) => name === database.name);
  const plan: { missing: OneRight[]; leftOut: RightsPlan["leftOut"] } = { missing: [], leftOut: [] };
  // A database that cannot be read may have them already. What is left out stays there, and returns when it can be
  // read.
  const isUnread = existing !== undefined && existing.content === undefined;
  for (const { name, optional, schema } of database.extensions) {
    const offered = facts.extensions.find((each) => each.name === name);
    if (offered === undefined || existing?.content?.extensions.includes(name)) continue;
    const right = extensionRight(
      facts,
      { ...offered, schema },
      { name: database.name, exists: existing !== undefined },
      quote,
    );
    if (right === undefined) continue;
    if (optional) plan.leftOut.push({ database: database.name, extension: name });
    else if (!isUnread) plan.missing.push(right);
  }
  return plan;
}

function extensionRight(
  facts: AdminFacts,
  { name, restricted, schema }: OfferedExtension & { schema: string | undefined },
  database: { name: string; exists: boolean },
  quote: Quote,
): OneRight | undefined {
  const list = allowLists.find((setting) => !allows(facts.allowLists[setting], name));
  if (list !== undefined)
    return {
      reason: `Extension ${name} of database "${database.name}" is not on the server's list of allowed extensions.`,
      statements: [],
      hint: `Add ${name} to the server's parameter ${list}.`,
    };
  const elevated = facts.allowLists[elevatedList];
  // Which restricted extensions a provider's role can create cannot be read from the server: `up` tries it.
  if (!restricted || (elevated === undefined ? facts.hasProviderRole : allows(elevated, name))) return undefined;
  return {
    reason: `Only a superuser can create extension ${name} of database "${database.name}".`,
    statements: [
      ...(database.exists ? [] : [{ sql: `CREATE DATABASE ${quote(database.name)} OWNER ${quote(facts.admin)};` }]),
      {
        sql: `CREATE EXTENSION ${quote(name)}${schema === undefined ? "" : ` SCHEMA ${quote(schema)}`};`,
        database: database.name,
      },
    ],
  };
}

/** Returns true if a list contains a name, or if the server does not have the list. */
function allows(list: string | undefined, name: string): boolean {
  if (list === undefined) return true;
  const names = list.split(",").map((each) => each.trim().toLowerCase());
  return names.includes("*") || names.includes(name.toLowerCase());
}
