import type { Properties } from "../../plugin/values.ts";
import { sorted, strings, text } from "../property.ts";
import { grantee, type Holding, holdingColumns } from "./privileges.ts";
import type { Session } from "./session.ts";

/** Where one object type's privileges stand in the catalogs, and how GRANT names its objects. */
interface ObjectKind {
  keyword: string;
  /** FROM clause; `n` is the schema. Names are left-joined, so that a missing one is a row that holds nothing. */
  from(named: boolean): string;
  acl: string;
  /** `acldefault`'s letter and the owner's column: an acl of null means the built-in defaults. */
  defaults: [letter: string, owner: string];
}

function relations(keyword: string, letter: string, kinds: string): ObjectKind {
  const isOne = `c.relnamespace = n.oid AND c.relkind IN (${kinds})`;
  return {
    keyword,
    from: (named) =>
      named
        ? `pg_catalog.pg_namespace n CROSS JOIN unnest($3::text[]) AS o(name)
           LEFT JOIN pg_catalog.pg_class c ON ${isOne} AND c.relname = o.name WHERE n.nspname = $2`
        : `pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON ${isOne} WHERE n.nspname = $2`,
    acl: "c.relacl",
    defaults: [letter, "c.relowner"],
  };
}

function routines(keyword: string, kinds: string): ObjectKind {
  const isOne = `p.pronamespace = n.oid AND p.prokind IN (${kinds})`;
  // `name` is every function of that name, `name(types)` the one with those parameters.
  const signature = `pg_catalog.to_regprocedure(pg_catalog.quote_ident(n.nspname) || '.' ||
    pg_catalog.quote_ident(pg_catalog.split_part(o.name, '(', 1)) || pg_catalog.substring(o.name, '[(].*'))`;
  return {
    keyword,
    from: (named) =>
      named
        ? `pg_catalog.pg_namespace n CROSS JOIN unnest($3::text[]) AS o(name)
           LEFT JOIN pg_catalog.pg_proc p ON ${isOne} AND (p.proname = o.name OR p.oid = ${signature})
           WHERE n.nspname = $2`
        : `pg_catalog.pg_namespace n JOIN pg_catalog.pg_proc p ON ${isOne} WHERE n.nspname = $2`,
    acl: "p.proacl",
    defaults: ["f", "p.proowner"],
  };
}

function foreign(keyword: string, catalog: string, prefix: string, letter: string): ObjectKind {
  return {
    keyword,
    from: () => `unnest($3::text[]) AS o(name) LEFT JOIN pg_catalog.${catalog} f ON f.${prefix}name = o.name
                 WHERE $2::text IS NOT NULL`,
    acl: `f.${prefix}acl`,
    defaults: [letter, `f.${prefix}owner`],
  };
}

const tableKinds = "'r', 'p', 'v', 'm', 'f'";

/** The official plugin's object types. `column` differs from the others in everything and stands below. */
const kinds: Readonly<Record<string, ObjectKind>> = {
  database: {
    keyword: "DATABASE",
    from: () => "pg_catalog.pg_database d WHERE d.datname = $2 AND $3::text[] IS NOT NULL",
    acl: "d.datacl",
    defaults: ["d", "d.datdba"],
  },
  schema: {
    keyword: "SCHEMA",
    from: () => "pg_catalog.pg_namespace n WHERE n.nspname = $2 AND $3::text[] IS NOT NULL",
    acl: "n.nspacl",
    defaults: ["n", "n.nspowner"],
  },
  table: relations("TABLE", "r", tableKinds),
  sequence: relations("SEQUENCE", "s", "'S'"),
  function: routines("FUNCTION", "'f', 'a', 'w'"),
  procedure: routines("PROCEDURE", "'p'"),
  routine: routines("ROUTINE", "'f', 'a', 'w', 'p'"),
  foreign_data_wrapper: foreign("FOREIGN DATA WRAPPER", "pg_foreign_data_wrapper", "fdw", "F"),
  foreign_server: foreign("FOREIGN SERVER", "pg_foreign_server", "srv", "S"),
};

export const grantObjectTypes = [...Object.keys(kinds), "column"];

/** Object types that lie in no schema. */
export const schemaless = ["database", "foreign_data_wrapper", "foreign_server"];

/** What a role (by oid, 0 for PUBLIC) holds on each object that a Grant covers. */
export async function readHoldings(session: Session, values: Properties, role: number): Promise<Holding[]> {
  const objectType = text(values, "objectType");
  const objects = strings(values, "objects");
  if (objectType === "column") return readColumnHoldings(session, values, role);
  const kind = kinds[objectType];
  if (kind === undefined) return [];
  const [letter, owner] = kind.defaults;
  const builtIn = `pg_catalog.acldefault('${letter}', ${owner})`;
  const columns = holdingColumns(`COALESCE(${kind.acl}, ${builtIn})`, builtIn, "$1::oid");
  const scope = objectType === "database" ? text(values, "database") : text(values, "schema");
  const named = objects.length > 0;
  const parameters = [role, scope, ...(named || !isEnumerable(objectType) ? [objects] : [])];
  return session.query<Holding & Properties>(`SELECT ${columns} FROM ${kind.from(named)}`, parameters);
}

/** `attacl` has explicit column grants only, so those of a whole table are not taken for them. */
async function readColumnHoldings(session: Session, values: Properties, role: number): Promise<Holding[]> {
  const rows = await session.query<Holding & Properties>(
    `SELECT ${holdingColumns("a.attacl", "NULL::aclitem[]", "$1::oid")}
       FROM unnest($4::text[]) AS o(name)
       LEFT JOIN (pg_catalog.pg_attribute a
         JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN (${tableKinds}) AND c.relname = ANY($3::text[])
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $2)
       ON a.attname = o.name`,
    [role, text(values, "schema"), strings(values, "objects"), strings(values, "columns")],
  );
  return rows.map((row) => ({ ...row, all: ["SELECT", "INSERT", "UPDATE", "REFERENCES"] }));
}

/** `GRANT <privileges> ON <objects> TO <role>`, without its verb: the part that GRANT and REVOKE share. */
export function privilegesOn(session: Session, values: Properties, privileges: readonly string[]): string {
  const columns = strings(values, "columns").map((column) => session.identifier(column));
  const list = privileges.map((privilege) =>
    columns.length === 0 ? privilege : `${privilege} (${columns.join(", ")})`,
  );
  return `${list.join(", ")} ON ${target(session, values)}`;
}

export function granteeOf(session: Session, values: Properties): string {
  return grantee(session, text(values, "role"));
}

function target(session: Session, values: Properties): string {
  const objectType = text(values, "objectType");
  const keyword = kinds[objectType]?.keyword ?? "TABLE";
  const schema = session.identifier(text(values, "schema"));
  const objects = sorted(strings(values, "objects"));
  switch (objectType) {
    case "database":
      return `${keyword} ${session.identifier(text(values, "database"))}`;
    case "schema":
      return `${keyword} ${schema}`;
    case "foreign_data_wrapper":
    case "foreign_server":
      return `${keyword} ${objects.map((object) => session.identifier(object)).join(", ")}`;
    default:
      if (objects.length === 0) return `ALL ${keyword}S IN SCHEMA ${schema}`;
      return `${keyword} ${objects.map((object) => `${schema}.${objectName(session, objectType, object)}`).join(", ")}`;
  }
}

/** Parameter types of a function are SQL and not part of its name; {@link signatureForm} has let nothing else through. */
function objectName(session: Session, objectType: string, object: string): string {
  const [name = object, parameters] = isRoutine(objectType) ? (signatureForm.exec(object)?.slice(1) ?? []) : [];
  return `${session.identifier(name)}${parameters ?? ""}`;
}

/** `name` or `name(type, type)`. */
export const signatureForm = /^([^(]+)(\([\w\s,.[\]"]*\))?$/;

export function isRoutine(objectType: string): boolean {
  return ["function", "procedure", "routine"].includes(objectType);
}

/** Types whose objects are all those of a schema where none is named. */
function isEnumerable(objectType: string): boolean {
  return objectType === "table" || objectType === "sequence" || isRoutine(objectType);
}
