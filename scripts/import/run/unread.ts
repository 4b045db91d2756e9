import type { ImportMap, TableMap } from "../map.ts";
import type { Source } from "../source/source.ts";

/**
 * Lists what of a source no entry of a map reads: collections with their rows, and columns of those that are read. The
 * comparison after an import knows only what the map names, so it cannot miss them.
 */
export function unreadOf({ collections }: Source, { tables }: ImportMap): string[] {
  return collections.flatMap(({ name, rows, columns }) => {
    const entries = tables.filter(({ from }) => from === name);
    if (entries.length === 0) return [`${name}${rows === undefined ? "" : `: ${rows.toLocaleString("en")} rows`}`];
    // A query can read every column in its own way.
    if (entries.some(({ query }) => query !== undefined)) return [];
    const read = new Set(entries.flatMap(readFields).map((field) => field.toLowerCase()));
    return columns
      .filter((column) => !read.has(column.name.toLowerCase()) && !isReadByPath(column.name, read))
      .map((column) => `${name}.${column.name}: a column`);
  });
}

function readFields({ columns, each }: TableMap): string[] {
  const fields = Object.values(columns).map((column) => (typeof column === "string" ? column : (column.from ?? "")));
  const outer = fields.map((field) => field.replace(/^(\$parent\.)+/, ""));
  return each === undefined ? fields : [...outer, each.split("[].")[0] ?? each];
}

/** A path such as `settings.theme` reads the column `settings`. */
function isReadByPath(name: string, read: ReadonlySet<string>): boolean {
  const prefix = `${name.toLowerCase()}.`;
  return [...read].some((field) => field.startsWith(prefix));
}
