import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import Driver from "better-sqlite3";
import type { Client } from "pg";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import type { ImportMap } from "../../../../scripts/import/map.ts";
import { type RunImportOptions, runImport } from "../../../../scripts/import/run/run-import.ts";
import { openSource } from "../../../../scripts/import/source/open-source.ts";
import { startServer, type TestServer } from "../../server.ts";

/** A server for the import's tests, with a database and a folder for each test. */
export interface ImportCases {
  server: TestServer;
  /** Creates an empty database with tables, and a folder for sources. */
  begin(tables: string): Promise<ImportCase>;
  stop(): Promise<void>;
}

/** A target database and a folder for sources. */
export interface ImportCase {
  connection: Connection;
  folder: string;
  /** Creates a SQLite database and returns its path. */
  sqlite(sql: string, name?: string): string;
  /** Writes a file and returns its path. */
  file(name: string, content: string | Uint8Array): Promise<string>;
  /** Runs an import. */
  run(
    kind: "sqlite" | "json",
    source: string,
    map: ImportMap,
    options?: Partial<RunImportOptions>,
  ): ReturnType<typeof runImport>;
  /** Runs a query as the migrator and returns its rows. */
  rows<Row extends object = Record<string, unknown>>(sql: string): Promise<Row[]>;
}

/** Starts the server. */
export async function startImportCases(): Promise<ImportCases> {
  const server = await startServer();
  const folders: string[] = [];
  let number = 0;
  return {
    server,
    begin: async (tables) => {
      const database = `import${++number}`;
      await server.createDatabase(database);
      const connection = server.as("migrator", database);
      const folder = await mkdtemp(path.join(tmpdir(), "pgw-import-test-"));
      folders.push(folder);
      const query = (sql: string) => withClient(connection, (client: Client) => client.query(sql));
      await query(tables);
      return {
        connection,
        folder,
        sqlite: (sql, name = "source.db") => makeSqlite(path.join(folder, name), sql),
        file: async (name, content) => {
          await writeFile(path.join(folder, name), content);
          return path.join(folder, name);
        },
        run: async (kind, source, map, options = {}) => {
          const opened = await openSource(kind, source);
          try {
            return await runImport({ connection, database, source: opened, map, ...options });
          } finally {
            await opened.close();
          }
        },
        rows: async (sql) => (await query(sql)).rows,
      };
    },
    stop: async () => {
      await server.stop();
      for (const folder of folders) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Creates a SQLite database by a script. */
export function makeSqlite(file: string, sql: string): string {
  const database = new Driver(file);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
  return file;
}

/** Returns the error that a promise rejects with. */
export async function failureOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("it did not fail");
}
