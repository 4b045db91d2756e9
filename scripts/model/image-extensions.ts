import { extensionCatalog } from "./extension-catalog.ts";

/** Returns the extensions that a server of the kit's image can have. */
export function imageExtensions(postgis: boolean): ReadonlySet<string> {
  const names = Object.keys(extensionCatalog);
  return new Set(names.filter((name) => postgis || extensionCatalog[name]?.withPostgis !== true));
}

/**
 * Returns `shared_preload_libraries` for databases with these extensions. It always includes pg_stat_statements, which
 * monitoring reads.
 */
export function preloadLibraries(extensions: readonly string[]): string {
  return Object.entries(extensionCatalog)
    .filter(([name, { isPreloaded }]) => isPreloaded && (name === "pg_stat_statements" || extensions.includes(name)))
    .map(([name]) => name)
    .join(",");
}
