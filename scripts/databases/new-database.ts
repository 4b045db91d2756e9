import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { temporaryFor } from "../core/temporary.ts";
import { databaseNamePattern, databaseNameRule, reservedName } from "../model/database-name.ts";
import { databaseFolder } from "./database-file.ts";

/**
 * Initial files of a database, by their paths in its folder, formatted as `npm run check` requires. None of them has an
 * effect yet, but all of them run.
 */
const files: Readonly<Record<string, string>> = {
  "database.json": `{
  "description": "",
  "extensions": [],
  "seedSets": ["reference", "dev"]
}
`,
  ".gmrc": `{
  "//": "For graphile-migrate's own command line, run in this folder with DATABASE_URL (the migrator's) set.",
  "migrationsFolder": ".",
  "pgSettings": {}
}
`,
  "current.sql": `-- The next migration is written here, for example:
-- create table products (id uuid primary key default gen_random_uuid(), name text not null);
`,
  // Git does not store empty folders.
  "committed/.gitkeep": "",
  "seeds/reference/010-reference.sql": `--! Title: What every environment needs (nothing yet)

-- insert into products (id, name) values ('…', 'tea') on conflict (id) do nothing;
`,
  "seeds/dev/010-dev.sql": `--! Title: Rows to develop with (nothing yet)

-- Test users are named in lines like the first one, and shown by \`pgw seed info\`: --! Login: user@example.com / password
`,
};

/**
 * Checks the name of a new database.
 *
 * @throws OperationError (exit code usage) for a name that no database can have
 */
export function requireDatabaseName(name: string): void {
  if (!databaseNamePattern.test(name)) {
    throw new OperationError(`"${name}" cannot be a database's name.`, {
      hint: `Expected: ${databaseNameRule}.`,
      exitCode: exitCode.usage,
    });
  }
  const reserved = reservedName(name);
  if (reserved !== undefined) {
    throw new OperationError(`"${name}" ${reserved}.`, {
      hint: "Choose another name.",
      exitCode: exitCode.usage,
    });
  }
}

/**
 * Creates the folder of a new database, completely or not at all.
 *
 * @param stagingFolder folder in which it is prepared; on the same file system
 * @returns the new files' paths in the folder
 * @throws OperationError (exit code usage) for a name that is not valid; (exit code notAllowed) if the folder already
 * exists
 */
export async function newDatabase(migrationsFolder: string, name: string, stagingFolder: string): Promise<string[]> {
  requireDatabaseName(name);
  const folder = databaseFolder(migrationsFolder, name);
  const staging = temporaryFor(join(stagingFolder, "new-database"));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(staging, path)), { recursive: true });
      await writeFile(join(staging, path), text);
    }
    await mkdir(migrationsFolder, { recursive: true });
    // If two processes do this at once, one wins: a rename does not replace a folder that is not empty.
    await rename(staging, folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOTDIR") throw cause;
    throw new OperationError(`${folder} already exists.`, {
      hint: `Choose another name. To use the existing folder, add ${name} to pgroundwork:databases.`,
      exitCode: exitCode.notAllowed,
      cause,
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return Object.keys(files);
}
