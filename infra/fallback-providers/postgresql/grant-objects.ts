import type { Properties } from "../../provider-protocol/values.ts";
import { sorted, strings, text } from "../property.ts";
import { grantee, type Holding, holdingColumns } from "./privileges.ts";
import type { Session } from "./session.ts";

/** The catalog columns with the privileges of one object type, and the keyword that GRANT uses for it. */
interface ObjectKind {
  keyword: string;
  /**
   * Returns the FROM clause; `n` is the schema. Names are left-joined, so that a missing object is a row without
   * privileges.
   */
  from(named: boolean): string;
  acl: string;
  /** Letter for `acldefault`, and the owner's column. A null acl means the built-in defaults. */
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
  // `name` matches every function of that name, and `name(types)` the one with those parameters.
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

/** The official plugin's object types. `column` needs its own query, {@link readColumnHoldings}. */
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

/** Object types that do not belong to a schema. */
export const schemaless = ["database", "foreign_data_wrapper", "foreign_server"];

/** Reads the privileges of a role (by oid, 0 for PUBLIC) on each object of a Grant. */
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

/** Reads column privileges. `attacl` contains only explicit column grants, and none of a whole table. */
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

/** Returns `<privileges> ON <objects>`, the part that GRANT and REVOKE share. */
export function privilegesOn(session: Session, values: Properties, privileges: readonly string[]): string {
  const columns = strings(values, "columns").map((column) => session.identifier(column));
  const list = privileges.map((privilege) =>
    columns.length === 0 ? privilege : `${privilege} (${columns.join(", ")})`,
  );
  return `${list.join(", ")} ON ${target(session, values)}`;
}

/** Returns the role of a grant as SQL writes it. */
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

/**
 * Quotes an object's name. A function's parameter types are SQL and not part of the name. {@link signatureForm} has
 * already checked them.
 */
function objectName(session: Session, objectType: string, object: string): string {
  const [name = object, parameters] = isRoutine(objectType) ? (signatureForm.exec(object)?.slice(1) ?? []) : [];
  return `${session.identifier(name)}${parameters ?? ""}`;
}

/** Matches `name` or `name(type, type)`. */
export const signatureForm = /^([^(]+)(\([\w\s,.[\]"]*\))?$/;

/** Returns true for functions, procedures and routines. */
export function isRoutine(objectType: string): boolean {
  return ["function", "procedure", "routine"].includes(objectType);
}

/** Returns true for types that include all objects of a schema if none is named. */
function isEnumerable(objectType: string): boolean {
  return objectType === "table" || objectType === "sequence" || isRoutine(objectType);
}
