import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type { OperationError } from "../../../../scripts/errors/operation-error.ts";
import { withClient } from "../../../../scripts/target/client.ts";
import type { Connection } from "../../../../scripts/target/connection.ts";
import { committedFolderOf, type Draft, type TestFolder } from "../../../unit/scripts/migrate/committed-folder.ts";
import { startServer, type TestServer } from "../../server.ts";

/** What {@link databasePerTest} keeps; the fields change from test to test. */
export interface PerTest {
  server: TestServer;
  /** As the migrator of the test's own database. */
  connection: Connection;
  /** Makes a folder of committed files; removed after the test. */
  folderOf(drafts: readonly Draft[]): Promise<TestFolder>;
  /** Rows of one statement, as the migrator unless told otherwise. */
  query<T extends object>(sql: string, as?: Connection): Promise<T[]>;
}

/** A server for the file's tests, and a new database with its roles for each of them. */
export function databasePerTest(): PerTest {
  let server: TestServer | undefined;
  let connection: Connection | undefined;
  let folders: TestFolder[] = [];
  let number = 0;
  const existing = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("there is none outside a test");
    return value;
  };
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    const database = `migrating${++number}`;
    await existing(server).createDatabase(database);
    connection = existing(server).as("migrator", database);
  });
  afterEach(async () => {
    for (const folder of folders) await folder.remove();
    folders = [];
  });
  return {
    get server() {
      return existing(server);
    },
    get connection() {
      return existing(connection);
    },
    async folderOf(drafts) {
      const folder = await committedFolderOf(drafts);
      folders.push(folder);
      return folder;
    },
    query: <T extends object>(sql: string, as = existing(connection)) =>
      withClient(as, async (client) => (await client.query<T>(sql)).rows),
  };
}

/** The error that `work` ends with. */
export async function errorOf<T extends OperationError>(work: Promise<unknown>): Promise<T> {
  return work.then(
    () => {
      throw new Error("no error was thrown");
    },
    (error: T) => error,
  );
}
