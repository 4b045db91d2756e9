import type { SourceEntry } from "../core/file-source.ts";
import { numberInName } from "./graphile-migrate.ts";

/** Names in `committed/`: those of migrations, and what is wrong with others that look like one. */
export interface CommittedNames {
  names: string[];
  faults: string[];
}

/** Ends as a file of SQL does, in any case, or is the name of a migration without its end. */
const looksLikeMigration = /\.(?:sql|psql|pgsql)\s*$|^\d+(?:-[-\w]*)?$/i;

const misnamed =
  "its name is not that of a migration, so it would never run; a name is a number, a hyphen, and letters, digits, - or _ (000012-add-prices.sql, 000012-add-prices.down.sql)";

/**
 * Sorts out what is in `committed/`. A name that ends in `.sql` and is not that of a migration or of its down migration
 * is a fault: it would be left out silently. Hidden files, copies of editors (`x.sql~`, `x.sql.orig`), other files and
 * folders are ignored. So is a down migration without its migration: it can still revert a missing file.
 */
export function sortNames(entries: readonly SourceEntry[]): CommittedNames {
  const names: string[] = [];
  const faults: string[] = [];
  for (const entry of entries) {
    const { name } = entry;
    const isFile = entry.isFile() || entry.isSymbolicLink();
    if (name.startsWith(".") || !looksLikeMigration.test(name) || (!isFile && !/\.sql$/i.test(name))) continue;
    if (!isFile) faults.push(`${name}: it is not a file`);
    else if (numberInName(name) !== undefined) names.push(name);
    else if (!isDownName(name)) faults.push(`${name}: ${misnamed}`);
  }
  return { names, faults: [...faults, ...sameNumber(names)] };
}

/** Returns true for the name of a down migration. */
export function isDownName(name: string): boolean {
  return name.endsWith(".down.sql") && numberInName(name.replace(/\.down\.sql$/, ".sql")) !== undefined;
}

/** Finds numbers that are used twice, also with another count of zeros. */
function sameNumber(names: readonly string[]): string[] {
  const byNumber = Map.groupBy(names, (name) => numberInName(name)?.replace(/^0+(?=\d)/, ""));
  return [...byNumber.values()]
    .filter((group) => group.length > 1)
    .map((group) => `${group.sort().join(", ")}: they have the same number`);
}
