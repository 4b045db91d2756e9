import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectionUrl } from "../../../scripts/connection/connection.ts";
import { cloneRoot } from "../../clone-root.ts";
import { catalogOf } from "./catalog.ts";
import {
  databaseFolder,
  downFiles,
  type MigratedDatabase,
  runFile,
  startMigratedDatabase,
  upFiles,
} from "./migrated-database.ts";

/* A database's graphile-migrate-cli.test.ts contains only a call of `describeGraphileMigrateCli("name")`. */

/** Defines the test of a database with graphile-migrate's own command. */
export function describeGraphileMigrateCli(name: string): void {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase(name, [], false);
  });
  afterAll(() => database?.stop());

  describe("graphile-migrate's own CLI", () => {
    it("makes the same catalog from the folder as the files do, and leaves the folder unchanged", async () => {
      const { migrator } = database;
      const folder = databaseFolder(name);
      const ups = await upFiles(name);
      const listing = (await readdir(folder, { recursive: true })).sort();
      const executed = `${ups.length} committed migration${ups.length === 1 ? "" : "s"} executed`;
      expect(await graphileMigrate(database, "migrate")).toContain(executed);
      expect(await graphileMigrate(database, "migrate")).toContain("Already up to date");
      expect(await graphileMigrate(database, "status")).toContain("Up to date.");
      expect((await readdir(folder, { recursive: true })).sort()).toEqual(listing);

      const byCommand = await catalogOf(migrator);
      await migrator.query("drop schema graphile_migrate cascade");
      for (const file of await downFiles(name)) await runFile(migrator, file);
      for (const file of ups) await runFile(migrator, file);
      expect(await catalogOf(migrator)).toEqual(byCommand);
    });
  });
}

/**
 * Runs graphile-migrate's own command in the database's folder as its documentation says, with only the migrator's URL.
 */
async function graphileMigrate({ name, server }: MigratedDatabase, ...args: string[]): Promise<string> {
  const environment = {
    PATH: process.env.PATH,
    DATABASE_URL: connectionUrl(server.as("migrator", name)),
    // `status` requires this URL, but never connects to it.
    SHADOW_DATABASE_URL: "postgresql://nobody@localhost:1/shadow",
  };
  const cli = join(cloneRoot, "node_modules", "graphile-migrate", "dist", "cli.js");
  const options = { cwd: databaseFolder(name), env: environment };
  const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args], options);
  return stdout;
}
