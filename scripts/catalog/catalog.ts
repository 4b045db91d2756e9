import type { Client } from "pg";
import { otherQueries } from "./other-queries.ts";
import { relationQueries } from "./relation-queries.ts";

/** What kinds of object are read; anything else (operators, casts, text search) is not compared. */
export type ObjectKind =
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
  /** With its schema, and for parts of a table with the table: `public.orders.id`. Unique within its kind. */
  name: string;
  /** As the server prints it, or its properties a line each; equal texts are equal objects. */
  definition: string;
  /** For a partition, the table that it is one of. */
  parent?: string;
}

/** A database's schema, by kind and name. */
export type Catalog = ReadonlyMap<string, CatalogObject>;

/** Identity of an object within a catalog. */
export function objectKey({ kind, name }: Pick<CatalogObject, "kind" | "name">): string {
  return `${kind} ${name}`;
}

/**
 * Reads everything that migrations make in a database: all schemas but the system's, the kit's and graphile-migrate's own, without what belongs to
 * extensions. Rows are none of it, nor are a sequence's position, object ids and the order of columns.
 */
export async function readCatalog(client: Client): Promise<Catalog> {
  // The server prints names with their schema where the search path does not lead there.
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
