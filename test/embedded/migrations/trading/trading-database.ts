import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { type Connection, clientConfig } from "../../../../scripts/target/connection.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { startServer, type TestServer } from "../../server.ts";

export const folder = join(cloneRoot, "migrations", "trading");

/** The trading database on a server of the test's own, with one connection for each way in. */
export interface TradingDatabase {
  server: TestServer;
  superuser: pg.Client;
  migrator: pg.Client;
  app: pg.Client;
  readonly: pg.Client;
  /** One more connection, ended with the others. */
  connect(connection: Connection): Promise<pg.Client>;
  stop(): Promise<void>;
}

/** @param seedSets applied in this order, after all migrations. */
export async function startTradingDatabase(seedSets: string[] = [], migrate = true): Promise<TradingDatabase> {
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
    await server.createDatabase("trading");
    const database: TradingDatabase = {
      server,
      superuser: await connect(server.connection("trading")),
      migrator: await connect(server.as("migrator", "trading")),
      app: await connect(server.as("app", "trading")),
      readonly: await connect(server.as("readonly", "trading")),
      connect,
      stop,
    };
    if (migrate) for (const file of await upFiles()) await runFile(database.migrator, file);
    for (const set of seedSets) await applySeeds(database.migrator, set);
    return database;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Paths of the migrations, in order. */
export async function upFiles(): Promise<string[]> {
  return (await sqlFiles("committed")).filter((path) => !path.endsWith(".down.sql"));
}

/** Paths of the ways back, newest first. */
export async function downFiles(): Promise<string[]> {
  return (await sqlFiles("committed")).filter((path) => path.endsWith(".down.sql")).reverse();
}

/** Applies a seed set, each file in one transaction. */
export async function applySeeds(client: pg.Client, set: string): Promise<void> {
  for (const path of await sqlFiles(join("seeds", set))) await runFile(client, path);
}

export async function sqlFiles(within: string): Promise<string[]> {
  const names = await readdir(join(folder, within));
  return names
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => join(folder, within, name));
}

/** Runs a file in a transaction, or outside where its body says so. */
export async function runFile(client: pg.Client, path: string): Promise<void> {
  const sql = await readFile(path, "utf8");
  if (/^--! no-transaction$/m.test(sql)) {
    await client.query(sql);
    return;
  }
  await inTransaction(client, "commit", () => client.query(sql));
}

/** Runs `use` in a transaction that ends as told; an error always rolls back. */
export async function inTransaction<T>(
  client: pg.Client,
  end: "commit" | "rollback",
  use: () => Promise<T>,
): Promise<T> {
  await client.query("begin");
  let result: T;
  try {
    result = await use();
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
  await client.query(end);
  return result;
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
