import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { databaseFolder } from "./database-file.ts";
import { databaseNamePattern, databaseNameRule, reservedName } from "./database-name.ts";

/** The files of a database to start from, by their paths in its folder, laid out as `npm run check` wants them. All of them do nothing yet, and all of them run. */
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
  // Git keeps no empty folders.
  "committed/.gitkeep": "",
  "seeds/reference/010-reference.sql": `--! Title: What every environment needs (nothing yet)

-- insert into products (id, name) values ('…', 'tea') on conflict (id) do nothing;
`,
  "seeds/dev/010-dev.sql": `--! Title: Rows to develop with (nothing yet)

-- Test users are named in lines like the first one, and shown by \`pgw seed info\`: --! Login: user@example.com / password
`,
};

/**
 * Makes the folder of a new database, complete or not at all.
 *
 * @param stagingFolder where it is put together; on the same file system
 * @returns the new files' paths in the folder
 * @throws OperationError (wrong usage) for a name that cannot be one; (not allowed) where the folder is there already
 */
export async function newDatabase(migrationsFolder: string, name: string, stagingFolder: string): Promise<string[]> {
  if (!databaseNamePattern.test(name)) {
    throw new OperationError(`"${name}" cannot be a database's name.`, {
      remedy: `Expected: ${databaseNameRule}.`,
      exitCode: exitCode.usage,
    });
  }
  const reserved = reservedName(name);
  if (reserved !== undefined) {
    throw new OperationError(`"${name}" ${reserved}.`, {
      remedy: "Choose another name.",
      exitCode: exitCode.usage,
    });
  }
  const folder = databaseFolder(migrationsFolder, name);
  const staging = join(stagingFolder, `new-database-${randomUUID()}`);
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(staging, path)), { recursive: true });
      await writeFile(join(staging, path), text);
    }
    await mkdir(migrationsFolder, { recursive: true });
    // Of two at once one wins: a folder that holds something is not replaced by a rename.
    await rename(staging, folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOTDIR") throw cause;
    throw new OperationError(`${folder} is there already.`, {
      remedy: "Choose another name, or go on with what is there.",
      exitCode: exitCode.notAllowed,
      cause,
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return Object.keys(files);
}
