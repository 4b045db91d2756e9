import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientConfig } from "../../../scripts/connection/connection.ts";
import { readDatabaseFile } from "../../../scripts/databases/database-file.ts";
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
 * A database's elsewhere.test.ts calls `describeElsewhere("name")`. Its migrations run on a server that the kit did not
 * set up, under a role of any name. If an extension is missing, their error says who can create it.
 */

/** Creates a database of an ordinary role, without the kit's roles and default privileges. */
async function plainDatabase(database: MigratedDatabase, name: string, extensions: string[]): Promise<pg.Client> {
  await database.superuser.query(`create database ${name} owner somebody`);
  const admin = await database.connect(database.server.connection(name));
  for (const extension of extensions) await admin.query(`create extension ${pg.escapeIdentifier(extension)}`);
  return database.connect({ ...database.server.connection(name), user: "somebody", password: "somebody" });
}

/**
 * Defines the tests of a database's migrations on another server.
 *
 * @param ownerFunctions names of functions without the owner's rights that only the owner may call
 */
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
    it("run up, down and up under any role's name", async () => {
      const client = await plainDatabase(database, "shadow", required);
      for (const file of await upFiles(name)) await runFile(client, file);
      for (const file of await downFiles(name)) await runFile(client, file);
      for (const file of await upFiles(name)) await runFile(client, file);
      const { rows } = await client.query(
        "select distinct relowner::regrole::text as owner from pg_class where relnamespace = 'public'::regnamespace",
      );
      expect(rows).toEqual([{ owner: "somebody" }]);
    });

    it("let no other role run functions that have the owner's rights", async () => {
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

    it("report each missing extension and who creates it", async () => {
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
