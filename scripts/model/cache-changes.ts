/** Channel on which triggers report changes of tables to result caches. The payload is `schema.table`. */
export const cacheChannel = "pgroundwork_cache";

/** Name of these triggers, and of their function in `public`. */
export const cacheTrigger = "notify_cache_change";

/** Returns the full name of a table, in `public` if no schema is given, or undefined if it has to be quoted. */
export function cachedTableName(name: string): string | undefined {
  const full = name.includes(".") ? name : `public.${name}`;
  return /^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$/.test(full) ? full : undefined;
}
