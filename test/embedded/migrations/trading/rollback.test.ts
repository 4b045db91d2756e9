import { basename } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { catalogOf } from "./catalog.ts";
import { downFiles, runFile, startTradingDatabase, type TradingDatabase, upFiles } from "./trading-database.ts";

let database: TradingDatabase;

beforeAll(async () => {
  database = await startTradingDatabase([], false);
});
afterAll(() => database?.stop());

describe("the way back", () => {
  it("stands beside every migration", async () => {
    const ups = await upFiles();
    expect((await downFiles()).reverse()).toEqual(ups.map((path) => path.replace(/\.sql$/, ".down.sql")));
  });

  it("leaves the catalog as it was before each migration, and the same after going up again", async () => {
    const { migrator } = database;
    const ups = await upFiles();
    const before: string[][] = [];
    for (const file of ups) {
      before.push(await catalogOf(migrator));
      await runFile(migrator, file);
    }
    const complete = await catalogOf(migrator);
    expect(complete.length).toBeGreaterThan(2000);

    for (const file of await downFiles()) {
      await runFile(migrator, file);
      expect(await catalogOf(migrator), basename(file)).toEqual(before.pop());
    }
    for (const file of ups) await runFile(migrator, file);
    expect(await catalogOf(migrator)).toEqual(complete);
  });

  it("of any number of migrations and up again changes nothing", async () => {
    const { migrator } = database;
    const complete = await catalogOf(migrator);
    const ups = await upFiles();
    for (let steps = 1; steps <= ups.length; steps++) {
      for (const file of (await downFiles()).slice(0, steps)) await runFile(migrator, file);
      for (const file of ups.slice(-steps)) await runFile(migrator, file);
      expect(await catalogOf(migrator), `${steps} back and forth`).toEqual(complete);
    }
  });
});
