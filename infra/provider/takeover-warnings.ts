import { type Contents, type DatabaseObject, describeObject, type Owner } from "./contents.ts";
import type { TakeoverWish } from "./takeover-wish.ts";

/** So many objects are named in a warning; the others are counted. */
const namedObjects = 3;

/**
 * What a takeover leaves as it is, since only a person can decide it, each with the statement that changes it.
 *
 * @param quote quotes an identifier
 */
export function takeoverWarnings(contents: Contents, wish: TakeoverWish, quote: (name: string) => string): string[] {
  return [
    ...ownerWarnings(contents, wish, quote),
    ...schemaWarnings(contents, wish),
    ...settingWarnings(contents, wish, quote),
    ...memberWarnings(contents, wish, quote),
  ];
}

/** Roles whose own objects need no handing over: the owner itself, and the one that stands for it. */
function ownerWarnings(contents: Contents, wish: TakeoverWish, quote: (name: string) => string): string[] {
  return contents.owners
    .filter(({ name }) => name !== wish.owner && name !== "pg_database_owner")
    .map((owner) => {
      const objects = contents.objects.filter((object) => object.owner === owner.name && !object.attached);
      const what = objects.length === 1 ? "an object" : `${objects.length} objects`;
      return `${owner.name} owns ${what} that migrations cannot change: ${few(objects.map(describeObject))}. To hand over, as a superuser in this database: ${remedy(owner, objects, quote(wish.owner), quote)}`;
    });
}

function remedy(owner: Owner, objects: DatabaseObject[], to: string, quote: (name: string) => string): string {
  if (owner.reassignable) return `REASSIGN OWNED BY ${quote(owner.name)} TO ${to};`;
  const statements = objects.slice(0, namedObjects).map(({ type, name }) => `ALTER ${type} ${name} OWNER TO ${to};`);
  return [...statements, ...(objects.length > namedObjects ? ["and so on"] : [])].join(" ");
}

function schemaWarnings({ objects }: Contents, wish: TakeoverWish): string[] {
  const elsewhere = objects.filter(({ kind, schema }) => kind === "table" && schema !== wish.schema);
  const schemas = [...new Set(elsewhere.map(({ schema }) => schema))].sort();
  return schemas.map((schema) => {
    const count = elsewhere.filter((object) => object.schema === schema).length;
    const tables = count === 1 ? "one table" : `${count} tables`;
    return `Schema "${schema}" with ${tables} is left as it is: only schema "${wish.schema}" is opened to ${Object.keys(wish.privileges.table).join(" and ")}. Grant what they need in a migration.`;
  });
}

function few(names: string[]): string {
  const rest = names.length - namedObjects;
  return [...names.slice(0, namedObjects), ...(rest > 0 ? [`${rest} more`] : [])].join(", ");
}

/** Settings of the database are no part of the declaration; one that is read-only, or has another search_path, makes `up` fail. */
function settingWarnings(
  { settings }: Contents,
  { database }: TakeoverWish,
  quote: (name: string) => string,
): string[] {
  if (settings.length === 0) return [];
  const said = settings.map(({ name, role }) => (role === null ? name : `${name} (for ${role})`)).join(", ");
  const statements = settings.map(({ name, role }) => {
    const whose = role === null ? "" : `ROLE ${quote(role)} IN `;
    return `ALTER ${whose}DATABASE ${quote(database)} RESET ${name.split(".").map(quote).join(".")};`;
  });
  return [
    `Sessions in this database begin with settings that the stack does not declare: ${said}. To take them back, as a superuser: ${statements.join(" ")}`,
  ];
}

/** Whoever is a member of the owner can change and drop all that migrations make. */
function memberWarnings({ members }: Contents, wish: TakeoverWish, quote: (name: string) => string): string[] {
  return members
    .filter((name) => !wish.members.includes(name))
    .map(
      (name) =>
        `${name} is a member of ${wish.owner} and can change what migrations make. To take that back, as a superuser: REVOKE ${quote(wish.owner)} FROM ${quote(name)};`,
    );
}
