import { type Contents, type DatabaseObject, describeObject, type Owner } from "./contents.ts";
import type { TakeoverWish } from "./takeover-wish.ts";

/** A warning names this many objects and counts the others. */
const namedObjects = 3;

/**
 * Lists everything that an adoption leaves unchanged because only the user can decide it, each with the statement that
 * changes it.
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

/**
 * Warns of owners whose objects migrations cannot change. The owner role itself and pg_database_owner, which stands for
 * it, need no warning.
 */
function ownerWarnings(contents: Contents, wish: TakeoverWish, quote: (name: string) => string): string[] {
  return contents.owners
    .filter(({ name }) => name !== wish.owner && name !== "pg_database_owner")
    .map((owner) => {
      const objects = contents.objects.filter((object) => object.owner === owner.name && !object.attached);
      const what = objects.length === 1 ? "an object" : `${objects.length} objects`;
      return `${owner.name} owns ${what} that migrations cannot change: ${few(objects.map(describeObject))}. To change the owner, run as a superuser in this database: ${hint(owner, objects, quote(wish.owner), quote)}`;
    });
}

function hint(owner: Owner, objects: DatabaseObject[], to: string, quote: (name: string) => string): string {
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
    const roles = Object.keys(wish.privileges.table).join(" and ");
    return [
      `Schema "${schema}" with ${tables} stays unchanged: only objects in schema "${wish.schema}" are granted to ${roles}.`,
      "Grant what they need in a migration.",
    ].join(" ");
  });
}

function few(names: string[]): string {
  const rest = names.length - namedObjects;
  return [...names.slice(0, namedObjects), ...(rest > 0 ? [`${rest} more`] : [])].join(", ");
}

/**
 * Warns of settings of the database, which are not part of the declaration. A read-only database, or one with another
 * search_path, makes `up` fail.
 */
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
    `This database has settings that the stack does not declare: ${said}. To reset them, run as a superuser: ${statements.join(" ")}`,
  ];
}

/** Warns of members of the owner role: they can change and drop everything that migrations create. */
function memberWarnings({ members }: Contents, wish: TakeoverWish, quote: (name: string) => string): string[] {
  return members
    .filter((name) => !wish.members.includes(name))
    .map(
      (name) =>
        `${name} is a member of ${wish.owner} and can change what migrations create. To revoke the membership, run as a superuser: REVOKE ${quote(wish.owner)} FROM ${quote(name)};`,
    );
}
