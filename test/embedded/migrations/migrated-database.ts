import { join } from "node:path";
import pg from "pg";
import { type Connection, clientConfig } from "../../../scripts/target/connection.ts";
import { startServer, type TestServer } from "../server.ts";
import { runFile, sqlFiles } from "./sql-files.ts";

export { databaseFolder, inTransaction, runFile, sqlFiles } from "./sql-files.ts";

/*
 * What the tests of a reference database stand on. A test file starts a server of its own in `beforeAll` with
 * `startMigratedDatabase(name, ["reference", "dev"])` and calls `stop()` in `afterAll`. What every database promises is tested by the
 * `describe…` functions beside this file, each called with the database's name and its own facts.
 */

/** A database on a server of the test's own, with one connection for each way in. */
export interface MigratedDatabase {
  name: string;
  server: TestServer;
  superuser: pg.Client;
  migrator: pg.Client;
  app: pg.Client;
  readonly: pg.Client;
  /** One more connection, ended with the others. */
  connect(connection: Connection): Promise<pg.Client>;
  stop(): Promise<void>;
}

/**
 * @param name of a folder in migrations/.
 * @param seedSets applied in this order, after all migrations.
 * @param migrate false for a database with roles, privileges and extensions and nothing more.
 */
export async function startMigratedDatabase(
  name: string,
  seedSets: readonly string[] = [],
  migrate = true,
): Promise<MigratedDatabase> {
  const server = await startServer();
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
    await server.createDatabase(name);
    const database: MigratedDatabase = {
      name,
      server,
      superuser: await connect(server.connection(name)),
      migrator: await connect(server.as("migrator", name)),
      app: await connect(server.as("app", name)),
      readonly: await connect(server.as("readonly", name)),
      connect,
      stop,
    };
    if (migrate) for (const file of await upFiles(name)) await runFile(database.migrator, file);
    for (const set of seedSets) await applySeeds(database, set);
    return database;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Paths of the migrations, in order. */
export async function upFiles(name: string): Promise<string[]> {
  return (await sqlFiles(name, "committed")).filter((path) => !path.endsWith(".down.sql"));
}

/** Paths of the ways back, newest first. */
export async function downFiles(name: string): Promise<string[]> {
  return (await sqlFiles(name, "committed")).filter((path) => path.endsWith(".down.sql")).reverse();
}

/** Applies a seed set as the migrator, each file in one transaction. */
export async function applySeeds({ name, migrator }: MigratedDatabase, set: string): Promise<void> {
  for (const path of await seedFiles(name, set)) await runFile(migrator, path);
}

export function seedFiles(name: string, set: string): Promise<string[]> {
  return sqlFiles(name, join("seeds", set));
}

/** What PostgreSQL answered instead of succeeding. */
export async function refusal(attempt: Promise<unknown>): Promise<pg.DatabaseError> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof pg.DatabaseError) return error;
    throw error;
  }
  throw new Error("the statement was accepted");
}
