import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDatabaseFile } from "../../../scripts/database/database-file.ts";
import { clientConfig } from "../../../scripts/target/connection.ts";
import { cloneRoot } from "../../clone-root.ts";
import {
  downFiles,
  type MigratedDatabase,
  refusal,
  runFile,
  startMigratedDatabase,
  upFiles,
} from "./migrated-database.ts";

/*
 * A database's elsewhere.test.ts calls `describeElsewhere("name")`: its migrations run on a server that the kit did not set up,
 * under any role's name, and say who mends it where an extension is missing.
 */

/** A plain database of a plain role: no role of the kit's, no default privileges. */
async function plainDatabase(database: MigratedDatabase, name: string, extensions: string[]): Promise<pg.Client> {
  await database.superuser.query(`create database ${name} owner somebody`);
  const admin = await database.connect(database.server.connection(name));
  for (const extension of extensions) await admin.query(`create extension ${pg.escapeIdentifier(extension)}`);
  return database.connect({ ...database.server.connection(name), user: "somebody", password: "somebody" });
}

/** @param ownerFunctions names of functions without the owner's rights that nobody else may call all the same. */
export function describeElsewhere(name: string, ownerFunctions: readonly string[] = []): void {
  let database: MigratedDatabase;
  let required: string[];

  beforeAll(async () => {
    database = await startMigratedDatabase(name, [], false);
    await database.superuser.query("create role somebody login password 'somebody'");
    const { extensions } = await readDatabaseFile(`${cloneRoot}/migrations`, name);
    required = extensions.filter(({ optional }) => !optional).map((extension) => extension.name);
  });
  afterAll(() => database?.stop());

  describe("the migrations on a server that the kit did not set up", () => {
    it("go up, down and up under any role's name", async () => {
      const client = await plainDatabase(database, "shadow", required);
      for (const file of await upFiles(name)) await runFile(client, file);
      for (const file of await downFiles(name)) await runFile(client, file);
      for (const file of await upFiles(name)) await runFile(client, file);
      const { rows } = await client.query(
        "select distinct relowner::regrole::text as owner from pg_class where relnamespace = 'public'::regnamespace",
      );
      expect(rows).toEqual([{ owner: "somebody" }]);
    });

    it("let no stranger run what works with the owner's rights", async () => {
      const stranger = new pg.Client(clientConfig({ ...database.server.as("app", name), database: "shadow" }));
      await stranger.connect();
      try {
        const { rows } = await stranger.query(
          `select proname as name from pg_proc
           where pronamespace = 'public'::regnamespace and (prosecdef or proname = any ($1)) and has_function_privilege(oid, 'execute')`,
          [ownerFunctions],
        );
        expect(rows).toEqual([]);
      } finally {
        await stranger.end();
      }
    });

    it("say of every extension that it is missing, and who mends it", async () => {
      for (const missing of required) {
        const without = `without_${missing}`;
        const present = required.filter((extension) => extension !== missing);
        const client = await plainDatabase(database, without, present);
        const error = await refusal(migrate(client, name));
        expect(error.message).toBe(`extension ${missing} is missing in database ${without}`);
        expect(error.hint).toBe(
          `An administrator runs CREATE EXTENSION ${missing}; the extensions needed stand in database.json.`,
        );
      }
    });
  });
}

async function migrate(client: pg.Client, name: string): Promise<void> {
  for (const file of await upFiles(name)) await runFile(client, file);
}
