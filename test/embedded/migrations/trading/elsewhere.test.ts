import { basename } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientConfig } from "../../../../scripts/target/connection.ts";
import {
  downFiles,
  refusal,
  runFile,
  startTradingDatabase,
  type TradingDatabase,
  upFiles,
} from "./trading-database.ts";

let database: TradingDatabase;

beforeAll(async () => {
  database = await startTradingDatabase([], false);
  await database.superuser.query("create role somebody login password 'somebody'");
});
afterAll(() => database?.stop());

/** A plain database of a plain role: no role of the kit's, no default privileges. */
async function plainDatabase(name: string, extensions: string[]): Promise<pg.Client> {
  await database.superuser.query(`create database ${name} owner somebody`);
  const admin = await database.connect(database.server.connection(name));
  for (const extension of extensions) await admin.query(`create extension ${extension}`);
  return database.connect({ ...database.server.connection(name), user: "somebody", password: "somebody" });
}

describe("the migrations on a server that the kit did not set up", () => {
  it("go up, down and up under any role's name", async () => {
    const client = await plainDatabase("shadow", ["pg_trgm", "btree_gist"]);
    for (const file of await upFiles()) await runFile(client, file);
    for (const file of await downFiles()) await runFile(client, file);
    for (const file of await upFiles()) await runFile(client, file);
    const { rows } = await client.query(
      "select distinct relowner::regrole::text as owner from pg_class where relname = 'audit_log'",
    );
    expect(rows).toEqual([{ owner: "somebody" }]);
  });

  it("let no stranger run what works with the owner's rights", async () => {
    const stranger = new pg.Client(clientConfig({ ...database.server.as("app", "trading"), database: "shadow" }));
    await stranger.connect();
    try {
      const { rows } = await stranger.query(
        `select proname as name from pg_proc
         where pronamespace = 'public'::regnamespace and (prosecdef or proname = 'ensure_partitions') and has_function_privilege(oid, 'execute')`,
      );
      expect(rows).toEqual([]);
    } finally {
      await stranger.end();
    }
  });

  it.each([
    ["btree_gist", ["pg_trgm"], "000001-core-schema.sql"],
    ["pg_trgm", ["btree_gist"], "000002-indexes.sql"],
  ])("say that %s is missing and who mends it", async (missing, present, failing) => {
    const client = await plainDatabase(`without_${missing}`, present);
    for (const file of await upFiles()) {
      if (basename(file) !== failing) {
        await runFile(client, file);
        continue;
      }
      const error = await refusal(runFile(client, file));
      expect(error.message).toBe(`extension ${missing} is missing in database without_${missing}`);
      expect(error.hint).toBe(
        `An administrator runs CREATE EXTENSION ${missing}; the extensions needed stand in database.json.`,
      );
      return;
    }
  });
});
