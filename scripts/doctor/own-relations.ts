export { isOwnRelation, relationName } from "../catalog/own-objects.ts";

/** SQL for the size in bytes that the catalog records. Unlike `pg_relation_size`, it waits for no lock. */
export const recordedBytes = "c.relpages * current_setting('block_size')::float8";

/**
 * SQL for a stored expression as text that is equal for equal expressions. Unlike `pg_get_expr`, it waits for no lock
 * on the table.
 */
export function expressionText(column: string): string {
  return `regexp_replace(${column}::text, ':(location|stmt_len|stmt_location) -?\\d+', '', 'g')`;
}
