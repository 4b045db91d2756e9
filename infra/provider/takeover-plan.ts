import type { Contents, DatabaseObject, ObjectKind, Owner } from "./contents.ts";

/** Privileges by role: `{shop_app: "SELECT, INSERT"}`. */
export type PrivilegesByRole = Readonly<Record<string, string>>;

/** What a database's roles are to have. */
export interface TakeoverWish {
  /** The role that migrations act as. */
  owner: string;
  /** The schema that migrations make their objects in. */
  schema: string;
  privileges: Readonly<Record<ObjectKind, PrivilegesByRole>>;
}

export interface TakeoverPlan {
  /** Objects that are opened, and the statements that do it. */
  opened: string[];
  statements: string[];
  /** What only a person can decide. */
  warnings: string[];
}

/** So many objects are named in a warning; the others are counted. */
const namedObjects = 3;

/** Words of GRANT for each kind; ROUTINE is a function or a procedure. */
const keywords: Record<ObjectKind, string> = { table: "TABLE", sequence: "SEQUENCE", function: "ROUTINE" };

const nothing: TakeoverPlan = { opened: [], statements: [], warnings: [] };

/**
 * What it takes that roles can work with what was in a database before the stack managed it. Default privileges hold for what is made later, only; and
 * privileges that are granted again at every run would open what a migration has narrowed. So it is done once, where the kit has not worked before.
 *
 * @param quote quotes an identifier
 */
export function planTakeover(contents: Contents, wish: TakeoverWish, quote: (name: string) => string): TakeoverPlan {
  if (contents.managed) return nothing;
  const here = contents.objects.filter(({ kind, schema }) => kind !== "schema" && schema === wish.schema);
  const grants = (["table", "sequence", "function"] as const).flatMap((kind) => {
    const names = here.filter((object) => object.kind === kind).map(({ name }) => name);
    if (names.length === 0) return [];
    return Object.entries(wish.privileges[kind]).map(
      ([role, privileges]) => `GRANT ${privileges} ON ${keywords[kind]} ${names.join(", ")} TO ${quote(role)}`,
    );
  });
  return {
    opened: grants.length === 0 ? [] : here.map(describe),
    statements: grants.length === 0 ? [] : [...grants, ...markManaged(quote(wish.owner))],
    warnings: [...ownerWarnings(contents, wish, quote), ...schemaWarnings(contents, wish)],
  };
}

/** The kit's bookkeeping schema says from now on that it has worked here, whether or not a migration follows. */
function markManaged(owner: string): string[] {
  return [`CREATE SCHEMA pgroundwork AUTHORIZATION ${owner}`, "REVOKE ALL ON SCHEMA pgroundwork FROM PUBLIC"];
}

/** Roles whose own objects need no handing over: the owner itself, and the one that stands for it. */
function ownerWarnings(contents: Contents, wish: TakeoverWish, quote: (name: string) => string): string[] {
  return contents.owners
    .filter(({ name }) => name !== wish.owner && name !== "pg_database_owner")
    .map((owner) => {
      const objects = contents.objects.filter((object) => object.owner === owner.name && !object.attached);
      const what = objects.length === 1 ? "an object" : `${objects.length} objects`;
      return `${owner.name} owns ${what} that migrations cannot change: ${few(objects.map(describe))}. To hand over, as a superuser in this database: ${remedy(owner, objects, quote(wish.owner), quote)}`;
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

function describe({ kind, type, name }: DatabaseObject): string {
  return `${kind === "function" ? "function" : type.toLowerCase()} ${name}`;
}

function few(names: string[]): string {
  const rest = names.length - namedObjects;
  return [...names.slice(0, namedObjects), ...(rest > 0 ? [`${rest} more`] : [])].join(", ");
}
