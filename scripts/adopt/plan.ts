import { type Contents, type DatabaseObject, describeObject, type ObjectKind, type Owner } from "./contents.ts";

/** Privileges by role: `{shop_app: "SELECT, INSERT"}`. */
export type PrivilegesByRole = Readonly<Record<string, string>>;

/** The roles and privileges that an adopted database will have. */
export interface AdoptionTarget {
  database: string;
  /** The role that migrations act as. */
  owner: string;
  /** Roles that can have the owner's rights. */
  members: readonly string[];
  /** The schema in which migrations create objects. */
  schema: string;
  privileges: Readonly<Record<ObjectKind, PrivilegesByRole>>;
}

export interface AdoptionPlan {
  /** Objects that are opened to the roles. */
  opened: string[];
  /** Opened objects that PUBLIC could use, and no longer can. */
  closed: string[];
  /** Objects that record migrations and belonged to another role, with that role. */
  handedOver: string[];
  /** Statements that adopt the objects. */
  statements: string[];
  /** Decisions that are left to the user. */
  warnings: string[];
}

/** Keywords of GRANT for each kind. ROUTINE is a function or a procedure. */
const keywords: Record<ObjectKind, string> = { table: "TABLE", sequence: "SEQUENCE", function: "ROUTINE" };

const kinds = ["table", "sequence", "function"] as const;

const nothing: AdoptionPlan = { opened: [], closed: [], handedOver: [], statements: [], warnings: [] };

/**
 * Plans the grants that adopt existing objects, once. The stack's roles can then use objects that were in a database
 * before the stack managed it, and PUBLIC cannot. Default privileges cover only objects created later. Grants repeated
 * at every run would restore privileges that a migration has revoked. So nothing is planned if the kit has worked in
 * the database before.
 *
 * @param quote quotes an identifier
 */
export function planAdoption(
  contents: Contents,
  target: AdoptionTarget,
  quote: (name: string) => string,
): AdoptionPlan {
  if (contents.managed) return nothing;
  const here = contents.objects.filter(({ kind, schema }) => kind !== "schema" && schema === target.schema);
  const closed = here.filter(({ isPublic }) => isPublic);
  const foreign = contents.bookkeeping.filter(({ owner, attached }) => owner !== target.owner && !attached);
  return {
    opened: here.map(describeObject),
    closed: closed.map(describeObject),
    handedOver: foreign.map((object) => `${describeObject(object)} (${object.owner}'s)`),
    statements: [
      ...onEach(closed, (what) => [`REVOKE ALL ON ${what} FROM PUBLIC`]),
      ...onEach(here, (what, kind) =>
        Object.entries(target.privileges[kind]).map(
          ([role, privileges]) => `GRANT ${privileges} ON ${what} TO ${quote(role)}`,
        ),
      ),
      ...foreign.map(({ type, name }) => `ALTER ${type} ${name} OWNER TO ${quote(target.owner)}`),
    ],
    warnings: warningsOf(contents, target, quote),
  };
}

/** Builds statements on all objects of each kind at once. */
function onEach(objects: DatabaseObject[], statements: (what: string, kind: ObjectKind) => string[]): string[] {
  return kinds.flatMap((kind) => {
    const names = objects.filter((object) => object.kind === kind).map(({ name }) => name);
    return names.length === 0 ? [] : statements(`${keywords[kind]} ${names.join(", ")}`, kind);
  });
}

/** A warning names this many objects and counts the others. */
const namedObjects = 3;

/**
 * Lists everything that an adoption leaves unchanged because only the user can decide it, each with the statement that
 * changes it.
 *
 * @param quote quotes an identifier
 */
function warningsOf(contents: Contents, target: AdoptionTarget, quote: (name: string) => string): string[] {
  return [
    ...ownerWarnings(contents, target, quote),
    ...schemaWarnings(contents, target),
    ...settingWarnings(contents, target, quote),
    ...memberWarnings(contents, target, quote),
  ];
}

/**
 * Warns of owners whose objects migrations cannot change. The owner role itself and pg_database_owner, which stands for
 * it, need no warning.
 */
function ownerWarnings(contents: Contents, target: AdoptionTarget, quote: (name: string) => string): string[] {
  return contents.owners
    .filter(({ name }) => name !== target.owner && name !== "pg_database_owner")
    .map((owner) => {
      const objects = contents.objects.filter((object) => object.owner === owner.name && !object.attached);
      const what = objects.length === 1 ? "an object" : `${objects.length} objects`;
      return `${owner.name} owns ${what} that migrations cannot change: ${few(objects.map(describeObject))}. To change the owner, run as a superuser in this database: ${reassignment(owner, objects, quote(target.owner), quote)}`;
    });
}

function reassignment(owner: Owner, objects: DatabaseObject[], to: string, quote: (name: string) => string): string {
  if (owner.reassignable) return `REASSIGN OWNED BY ${quote(owner.name)} TO ${to};`;
  const statements = objects.slice(0, namedObjects).map(({ type, name }) => `ALTER ${type} ${name} OWNER TO ${to};`);
  return [...statements, ...(objects.length > namedObjects ? ["and so on"] : [])].join(" ");
}

function schemaWarnings({ objects }: Contents, target: AdoptionTarget): string[] {
  const elsewhere = objects.filter(({ kind, schema }) => kind === "table" && schema !== target.schema);
  const schemas = [...new Set(elsewhere.map(({ schema }) => schema))].sort();
  return schemas.map((schema) => {
    const count = elsewhere.filter((object) => object.schema === schema).length;
    const tables = count === 1 ? "one table" : `${count} tables`;
    const roles = Object.keys(target.privileges.table).join(" and ");
    return [
      `Schema "${schema}" with ${tables} stays unchanged: only objects in schema "${target.schema}" are granted to ${roles}.`,
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
  { database }: AdoptionTarget,
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
function memberWarnings({ members }: Contents, target: AdoptionTarget, quote: (name: string) => string): string[] {
  return members
    .filter((name) => !target.members.includes(name))
    .map(
      (name) =>
        `${name} is a member of ${target.owner} and can change what migrations create. To revoke the membership, run as a superuser: REVOKE ${quote(target.owner)} FROM ${quote(name)};`,
    );
}
