import { basename } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { catalogOf } from "./catalog.ts";
import {
  applySeeds,
  downFiles,
  type MigratedDatabase,
  runFile,
  startMigratedDatabase,
  upFiles,
} from "./migrated-database.ts";

/* A database's rollback.test.ts contains only a call of `describeRollback("name")`. */

/**
 * Defines the tests of a database's down migrations.
 *
 * @param seedSets seed sets in the database when it is reverted with rows in every table
 */
export function describeRollback(name: string, seedSets: readonly string[] = ["reference", "dev", "demo"]): void {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase(name, [], false);
  });
  afterAll(() => database?.stop());

  // Each test begins with the catalog that the one before it left.
  describe("the down migrations", () => {
    it("exist for every migration", async () => {
      const ups = await upFiles(name);
      expect((await downFiles(name)).reverse()).toEqual(ups.map((path) => path.replace(/\.sql$/, ".down.sql")));
    });

    it("restore the catalog before each migration, and up makes the same catalog again", async () => {
      const { migrator } = database;
      const ups = await upFiles(name);
      const before: string[][] = [];
      for (const file of ups) {
        before.push(await catalogOf(migrator));
        await runFile(migrator, file);
        expect(await catalogOf(migrator), `${basename(file)} changes something`).not.toEqual(before.at(-1));
      }
      const complete = await catalogOf(migrator);

      for (const file of await downFiles(name)) {
        await runFile(migrator, file);
        expect(await catalogOf(migrator), basename(file)).toEqual(before.pop());
      }
      for (const file of ups) await runFile(migrator, file);
      expect(await catalogOf(migrator)).toEqual(complete);
    });

    it("change nothing after any number of steps down and up again", async () => {
      const { migrator } = database;
      const complete = await catalogOf(migrator);
      const ups = await upFiles(name);
      for (let steps = 1; steps <= ups.length; steps++) {
        for (const file of (await downFiles(name)).slice(0, steps)) await runFile(migrator, file);
        for (const file of ups.slice(-steps)) await runFile(migrator, file);
        expect(await catalogOf(migrator), `${steps} back and forth`).toEqual(complete);
      }
    });

    it("work with rows in every table", async () => {
      const { migrator } = database;
      const complete = await catalogOf(migrator);
      for (const set of seedSets) await applySeeds(database, set);
      for (const file of await downFiles(name)) await runFile(migrator, file);
      for (const file of await upFiles(name)) await runFile(migrator, file);
      expect(await catalogOf(migrator)).toEqual(complete);
    });
  });
}
