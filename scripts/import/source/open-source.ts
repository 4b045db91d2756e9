import type { Source } from "./source.ts";

/**
 * Opens a source for reading.
 *
 * @throws OperationError if it cannot be read
 */
export async function openSource(kind: "sqlite" | "json", path: string): Promise<Source> {
  if (kind === "sqlite") return (await import("./sqlite/sqlite-source.ts")).openSqlite(path);
  return (await import("./json/json-source.ts")).openJson(path);
}
