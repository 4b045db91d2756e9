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

/* A database's rollback.test.ts calls `describeRollback("name")`, and that is all there is to it. */

/** @param seedSets in the database when it goes back with rows in it. */
export function describeRollback(name: string, seedSets: readonly string[] = ["reference", "dev", "demo"]): void {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase(name, [], false);
  });
  afterAll(() => database?.stop());

  // Each test begins with the catalog that the one before it left.
  describe("the way back", () => {
    it("stands beside every migration", async () => {
      const ups = await upFiles(name);
      expect((await downFiles(name)).reverse()).toEqual(ups.map((path) => path.replace(/\.sql$/, ".down.sql")));
    });

    it("leaves the catalog as it was before each migration, and the same after going up again", async () => {
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

    it("of any number of migrations and up again changes nothing", async () => {
      const { migrator } = database;
      const complete = await catalogOf(migrator);
      const ups = await upFiles(name);
      for (let steps = 1; steps <= ups.length; steps++) {
        for (const file of (await downFiles(name)).slice(0, steps)) await runFile(migrator, file);
        for (const file of ups.slice(-steps)) await runFile(migrator, file);
        expect(await catalogOf(migrator), `${steps} back and forth`).toEqual(complete);
      }
    });

    it("goes with rows in every table, too", async () => {
      const { migrator } = database;
      const complete = await catalogOf(migrator);
      for (const set of seedSets) await applySeeds(database, set);
      for (const file of await downFiles(name)) await runFile(migrator, file);
      for (const file of await upFiles(name)) await runFile(migrator, file);
      expect(await catalogOf(migrator)).toEqual(complete);
    });
  });
}
