import type { Client } from "pg";
import { otherQueries } from "./other-queries.ts";
import { relationQueries } from "./relation-queries.ts";

/** The kinds of object that are read. Other kinds (operators, casts, text search) are not compared. */
export type ObjectKind =
  | "database"
  | "schema"
  | "extension"
  | "table"
  | "partition"
  | "column"
  | "constraint"
  | "index"
  | "view"
  | "materialized view"
  | "sequence"
  | "trigger"
  | "rule"
  | "policy"
  | "function"
  | "type"
  | "statistics"
  | "default privileges"
  | "comment";

/** One object of a database's schema. */
export interface CatalogObject {
  kind: ObjectKind;
  /** Name with schema, and with the table for parts of a table: `public.orders.id`. Unique within its kind. */
  name: string;
  /** Definition as the server prints it, or one property per line. Equal texts mean equal objects. */
  definition: string;
  /** Partitioned table of a partition. */
  parent?: string;
}

/** A database's schema, by kind and name. */
export type Catalog = ReadonlyMap<string, CatalogObject>;

/** Returns the identity of an object within a catalog. */
export function objectKey({ kind, name }: Pick<CatalogObject, "kind" | "name">): string {
  return `${kind} ${name}`;
}

/**
 * Reads everything that migrations create in a database: all schemas except those of the system, the kit and
 * graphile-migrate, without objects of extensions. The result does not include rows, the position of a sequence, object
 * ids or the order of columns.
 */
export async function readCatalog(client: Client): Promise<Catalog> {
  // The server prints a name with its schema if the search path does not find it.
  await client.query("begin read only; set local search_path = pg_catalog");
  try {
    const catalog = new Map<string, CatalogObject>();
    for (const query of [...relationQueries, ...otherQueries]) {
      const { rows } = await client.query<CatalogObject & { parent?: string | null }>(query);
      for (const { parent, ...object } of rows)
        catalog.set(objectKey(object), typeof parent === "string" ? { ...object, parent } : object);
    }
    return catalog;
  } finally {
    await client.query("rollback");
  }
}
