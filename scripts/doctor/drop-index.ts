import { type Fix, fix } from "./fix.ts";

/** An index that can be dropped. Names are qualified and quoted. */
export interface DroppedIndex {
  index: string;
  table: string;
  /** As pg_get_indexdef prints it. */
  definition: string;
  isPartitioned: boolean;
}

/** Returns the fix that drops an index, and creates it again to undo that. */
export function dropIndex({ index, table, definition, isPartitioned }: DroppedIndex): Fix {
  if (!isPartitioned)
    return fix([`drop index concurrently ${index}`], "SHARE UPDATE EXCLUSIVE: blocks no reads or writes.", [
      definition.replace(/^CREATE (UNIQUE )?INDEX /, "CREATE $1INDEX CONCURRENTLY "),
    ]);
  // PostgreSQL prints ON ONLY, which would leave out the partitions.
  return fix([`drop index ${index}`], `ACCESS EXCLUSIVE on ${table}: blocks reads and writes for a moment.`, [
    definition.replace(" ON ONLY ", " ON "),
  ]);
}
