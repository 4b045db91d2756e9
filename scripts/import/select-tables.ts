import { nearest } from "../core/nearest.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import type { ImportMap } from "./map.ts";

/**
 * Returns a map with only the entries that read one of these collections, or write one of these tables.
 *
 * @throws OperationError (wrong usage) that lists all names that the map does not have
 */
export function selectTables(map: ImportMap, only: readonly string[]): ImportMap {
  if (only.length === 0) return map;
  const known = [...new Set(map.tables.flatMap(({ from, to }) => [from, to]))];
  const unknown = only.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const lines = unknown.map((name) => {
      const near = nearest(name, known);
      return `- ${name}${near === undefined ? "" : `; is it "${near}"?`}`;
    });
    throw new OperationError(["The map has no entry for:", ...lines].join("\n"), {
      hint: `It has: ${known.join(", ")}.`,
      exitCode: exitCode.usage,
    });
  }
  return { ...map, tables: map.tables.filter(({ from, to }) => only.includes(from) || only.includes(to)) };
}
