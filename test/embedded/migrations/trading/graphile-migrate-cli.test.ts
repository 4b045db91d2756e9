import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectionUrl } from "../../../../scripts/target/connection.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { catalogOf } from "./catalog.ts";
import { folder, runFile, startTradingDatabase, type TradingDatabase, upFiles } from "./trading-database.ts";

let database: TradingDatabase;

beforeAll(async () => {
  database = await startTradingDatabase([], false);
});
afterAll(() => database?.stop());

/** graphile-migrate's own command, run in the database's folder as its page says: with the migrator's URL and nothing more. */
async function graphileMigrate(...args: string[]): Promise<string> {
  const environment = {
    PATH: process.env.PATH,
    DATABASE_URL: connectionUrl(database.server.as("migrator", "trading")),
    // `status` wants one and never connects to it.
    SHADOW_DATABASE_URL: "postgresql://nobody@localhost:1/shadow",
  };
  const cli = join(cloneRoot, "node_modules", "graphile-migrate", "dist", "cli.js");
  const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args], { cwd: folder, env: environment });
  return stdout;
}

describe("graphile-migrate's own command line", () => {
  it("applies the folder to the catalog that the files make, and leaves the folder as it was", async () => {
    const { migrator } = database;
    const listing = (await readdir(folder, { recursive: true })).sort();
    expect(await graphileMigrate("migrate")).toContain("6 committed migrations executed");
    expect(await graphileMigrate("migrate")).toContain("Already up to date");
    expect(await graphileMigrate("status")).toContain("Up to date.");
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(listing);

    const byCommand = await catalogOf(migrator);
    await migrator.query("drop schema graphile_migrate cascade");
    for (const file of [...(await upFiles())].reverse()) await runFile(migrator, file.replace(/\.sql$/, ".down.sql"));
    for (const file of await upFiles()) await runFile(migrator, file);
    expect(await catalogOf(migrator)).toEqual(byCommand);
  });
});
