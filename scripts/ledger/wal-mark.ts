/*
 * Marks that migrations leave in the WAL, so that a restore finds the position before each of them without the database
 * itself: the mistake to undo can have dropped it. pg_logical_emit_message needs no privilege and works with every
 * wal_level. A transactional mark counts only if its transaction has committed.
 */

/** Prefix of the kit's messages in the WAL. */
export const walMarkPrefix = "pgroundwork";

/**
 * Returns the SQL expression that leaves the mark of a migration.
 *
 * @param transactional false to leave it at once, before a file that runs outside a transaction
 * @param filename SQL expression
 */
export function markMigration(transactional: boolean, filename: string): string {
  const text = `format('migration up %s %s', ${filename}, current_database())`;
  return `pg_logical_emit_message(${transactional}, '${walMarkPrefix}', ${text})`;
}

/** Returns the beginning of a migration's mark, up to the number of its file, and its end. */
export function migrationMarkAround(number: string, database: string): { begin: string; end: string } {
  return { begin: `migration up ${number}`, end: `.sql ${database}` };
}
