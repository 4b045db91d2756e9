import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import pg, { type Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../scripts/connection/client.ts";
import { names } from "./catalog-queries.ts";
import { contents, count } from "./contents.ts";
import { type MigratedDatabase, startMigratedDatabase } from "./migrated-database.ts";
import { sqlFiles } from "./sql-files.ts";
import { runVolume } from "./volume.ts";

/*
 * A database's volume.test.ts calls `describeVolume("name", { mainTable: "orders", rows: 2_000 })`. Separate tests in
 * the same file check what its rows mean together, and that an application can continue from them. They begin with
 * `runVolume`.
 */

/** Facts of a database's volume generator. */
export interface VolumeFacts {
  /** The table whose number of rows is given. */
  mainTable: string;
  /** Number of rows: few, so that the test is quick, but enough for rows in every table. */
  rows: number;
}

/** Defines the tests of a database's volume generator. */
export function describeVolume(name: string, { mainTable, rows }: VolumeFacts): void {
  let database: MigratedDatabase;
  let client: Client;
  let twin: Client;
  let before: Record<string, string>;

  beforeAll(async () => {
    database = await startMigratedDatabase(name, ["reference"]);
    const { server, superuser, migrator, app, readonly } = database;
    const id = pg.escapeIdentifier;
    // A template database must have no connections.
    await Promise.all([superuser, migrator, app, readonly].map((each) => each.end()));
    await withClient(server.connection(), (admin) =>
      admin.query(`create database twin template ${id(name)} owner ${id(`${name}_owner`)}`),
    );
    client = await database.connect(server.as("migrator", name));
    twin = await database.connect({ ...server.as("migrator", name), database: "twin" });
    before = await contents(client);
    await runVolume(client, name, rows);
  });
  afterAll(() => database?.stop());

  describe("the volume generator", () => {
    it("makes as many rows of the main table as requested", async () => {
      expect(await count(client, mainTable)).toBe(rows);
    });

    it("makes the same rows in another database", async () => {
      await runVolume(twin, name, rows);
      expect(await contents(twin)).toEqual(await contents(client));
    });

    it("does not depend on the date, on chance or on the client", async () => {
      for (const path of await sqlFiles(name, "volume")) {
        const code = (await readFile(path, "utf8")).replaceAll(/--.*$/gm, "");
        expect(code, basename(path)).not.toMatch(
          /\b(now\(|clock_timestamp|statement_timestamp|current_(date|time)|localtime|random\(|gen_random|uuidv)/i,
        );
      }
    });

    it("leaves every trigger enabled", async () => {
      expect(await names(client, "select tgname as name from pg_trigger where tgenabled <> 'O'")).toEqual([]);
    });

    it("updates the planner's row count of every table that it filled", async () => {
      const after = await contents(client);
      const filled = Object.keys(after).filter((table) => after[table] !== before[table]);
      expect(filled).toContain(mainTable);
      const { rows: told } = await client.query<{ name: string; number: number }>(
        "select relname as name, reltuples::int as number from pg_class where oid = any ($1::regclass[]) order by 1",
        [filled],
      );
      const counted: typeof told = [];
      for (const table of filled.sort()) counted.push({ name: table, number: await count(client, table) });
      expect(told).toEqual(counted);
    });
  });
}
