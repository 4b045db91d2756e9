import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import type { OperationError } from "../../../../scripts/core/operation-error.ts";
import { committedFolderOf, type Draft, type TestFolder } from "../../../unit/scripts/migrate/committed-folder.ts";
import { startServer, type TestServer } from "../../server.ts";

/** Values of {@link databasePerTest}, which change from test to test. */
export interface PerTest {
  server: TestServer;
  /** The migrator's connection to the test's own database. */
  connection: Connection;
  /** Creates a folder of committed files, which is removed after the test. */
  folderOf(drafts: readonly Draft[]): Promise<TestFolder>;
  /** Returns the rows of one statement, run by default as the migrator. */
  query<T extends object>(sql: string, as?: Connection): Promise<T[]>;
}

/**
 * Starts one server for the tests of a file, and creates a new database with its roles for each test.
 *
 * @param settings settings of the server
 */
export function databasePerTest(settings: Record<string, string> = {}): PerTest {
  let server: TestServer | undefined;
  let connection: Connection | undefined;
  let folders: TestFolder[] = [];
  let number = 0;
  const existing = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("there is none outside a test");
    return value;
  };
  beforeAll(async () => {
    server = await startServer(settings);
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

/** Returns the error that `work` fails with. */
export async function errorOf<T extends OperationError>(work: Promise<unknown>): Promise<T> {
  return work.then(
    () => {
      throw new Error("no error was thrown");
    },
    (error: T) => error,
  );
}
