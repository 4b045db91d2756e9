import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { listDatabases } from "../../../scripts/databases/database-file.ts";
import { cloneRoot } from "../../clone-root.ts";
import { type DatabaseQueries, type GroupedQuery, listQueries } from "../../embedded/migrations/named-queries.ts";

/** A database with its named queries. */
export interface AskedDatabase {
  name: string;
  queries: GroupedQuery[];
}

/** Lists the databases of this project that have named queries. Skips databases that were removed. */
export async function askedDatabases(): Promise<AskedDatabase[]> {
  const tests = join(cloneRoot, "test", "embedded", "migrations");
  const there = await listDatabases(join(cloneRoot, "migrations"));
  const folders = await readdir(tests, { withFileTypes: true });
  const named = folders
    .filter((folder) => folder.isDirectory() && there.includes(folder.name))
    .map(({ name }) => ({ name, path: join(tests, name, "queries.ts") }))
    .filter(({ path }) => existsSync(path));
  return Promise.all(
    named.map(async ({ name, path }) => {
      const { queries } = (await import(pathToFileURL(path).href)) as { queries: DatabaseQueries };
      return { name, queries: listQueries(queries) };
    }),
  );
}
