import { join } from "node:path";
import pg from "pg";
import { withClient } from "../../../scripts/connection/client.ts";
import { type Connection, clientConfig } from "../../../scripts/connection/connection.ts";
import { startFilledServer, type TestServer } from "../server.ts";
import { runFile, sqlFiles } from "./sql-files.ts";

export { databaseFolder, inTransaction, runFile, sqlFiles } from "./sql-files.ts";

/*
 * Database for the tests of a reference database. A test file starts its own server in `beforeAll` with
 * `startMigratedDatabase(name, ["reference", "dev"])` and calls `stop()` in `afterAll`. The `describe…` functions in
 * this folder test the rules of all databases. Each is called with the database's name and facts.
 */

/** A database on the test's own server, with one connection for each login. */
export interface MigratedDatabase {
  name: string;
  server: TestServer;
  superuser: pg.Client;
  migrator: pg.Client;
  app: pg.Client;
  readonly: pg.Client;
  /** Opens one more connection, which `stop` closes with the others. */
  connect(connection: Connection): Promise<pg.Client>;
  stop(): Promise<void>;
}

/**
 * Starts a server with a reference database.
 *
 * @param name name of a folder in migrations/
 * @param seedSets seed sets, applied in this order after all migrations
 * @param migrate if false, the database only has roles, privileges and extensions
 */
export async function startMigratedDatabase(
  name: string,
  seedSets: readonly string[] = [],
  migrate = true,
): Promise<MigratedDatabase> {
  const server = await startFilledServer([name, migrate, ...seedSets].join("-"), async (filled) => {
    await filled.createDatabase(name);
    await withClient(filled.as("migrator", name), async (migrator) => {
      const files = [migrate ? upFiles(name) : [], ...seedSets.map((set) => seedFiles(name, set))];
      for (const path of (await Promise.all(files)).flat()) await runFile(migrator, path);
    });
  });
  const clients: pg.Client[] = [];
  const connect = async (connection: Connection) => {
    const client = new pg.Client(clientConfig(connection));
    await client.connect();
    clients.push(client);
    return client;
  };
  const stop = async () => {
    await Promise.all(clients.map((client) => client.end()));
    await server.stop();
  };
  try {
    return {
      name,
      server,
      superuser: await connect(server.connection(name)),
      migrator: await connect(server.as("migrator", name)),
      app: await connect(server.as("app", name)),
      readonly: await connect(server.as("readonly", name)),
      connect,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Returns the paths of the migrations, in order. */
export async function upFiles(name: string): Promise<string[]> {
  return (await sqlFiles(name, "committed")).filter((path) => !path.endsWith(".down.sql"));
}

/** Returns the paths of the down migrations, newest first. */
export async function downFiles(name: string): Promise<string[]> {
  return (await sqlFiles(name, "committed")).filter((path) => path.endsWith(".down.sql")).reverse();
}

/** Applies a seed set as the migrator, each file in one transaction. */
export async function applySeeds({ name, migrator }: MigratedDatabase, set: string): Promise<void> {
  for (const path of await seedFiles(name, set)) await runFile(migrator, path);
}

/** Returns the paths of the files of a seed set, sorted by name. */
export function seedFiles(name: string, set: string): Promise<string[]> {
  return sqlFiles(name, join("seeds", set));
}

/**
 * Returns PostgreSQL's error.
 *
 * @throws Error if the statement is accepted
 */
export async function refusal(attempt: Promise<unknown>): Promise<pg.DatabaseError> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof pg.DatabaseError) return error;
    throw error;
  }
  throw new Error("the statement was accepted");
}
