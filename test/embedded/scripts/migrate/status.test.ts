import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { type Connection, inDatabase } from "../../../../scripts/connection/connection.ts";
import type { ConnectionError } from "../../../../scripts/connection/connection-error.ts";
import type { OperationError } from "../../../../scripts/core/operation-error.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { pendingMigrations, readStatus, verifyMigrations } from "../../../../scripts/migrate/verify.ts";
import { committedFolderOf, type TestFolder } from "../../../unit/scripts/migrate/committed-folder.ts";
import { startServer } from "../../server.ts";

let server: Awaited<ReturnType<typeof startServer>>;
let connection: Connection;
let made: TestFolder;
let number = 0;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  const database = `status${++number}`;
  await server.createDatabase(database);
  connection = server.as("migrator", database);
  made = await committedFolderOf([
    { name: "a", body: "create table a ();" },
    { name: "b", body: "create table b ();" },
  ]);
});
afterEach(() => made?.remove());

const pendingNames = async (of: Connection | undefined) => {
  const answer = await pendingMigrations(of, made.folder);
  return answer.known ? answer.pending.map((each) => each.filename) : answer.reason;
};

describe("the migration status", () => {
  it("says that all files are pending if none was applied, and creates nothing in the database", async () => {
    expect(await pendingNames(connection)).toEqual(["000001-a.sql", "000002-b.sql"]);
    const made = await withClient(connection, (client) =>
      client.query("select nspname from pg_namespace where nspname in ('graphile_migrate', 'pgroundwork')"),
    );
    expect(made.rows).toEqual([]);
  });

  it("says that all files are pending if there is no connection or no database yet", async () => {
    expect(await pendingNames(undefined)).toEqual(["000001-a.sql", "000002-b.sql"]);
    expect(await pendingNames(server.connection("not_there"))).toEqual(["000001-a.sql", "000002-b.sql"]);
  });

  it("is unknown, and not empty, if the server is down", async () => {
    expect(await pendingNames({ ...connection, port: 1 })).toBe(
      `Cannot connect to ${connection.user}@${connection.host}:1/${connection.database}: nothing listens on ${connection.host}:1 (connection refused).`,
    );
    const error = await readStatus({ ...connection, port: 1 }, made.folder).catch((caught: ConnectionError) => caught);
    expect(error).toMatchObject({ failure: "unreachable" });
  });

  it("is unknown with a wrong password, which no message shows", async () => {
    expect(await pendingNames({ ...connection, password: "hunter2" })).toMatch(
      /: password authentication failed for user "status\d+_migrator"\.$/,
    );
    const error = (await readStatus({ ...connection, password: "hunter2" }, made.folder).catch(
      (caught: unknown) => caught,
    )) as OperationError;
    expect(error.text).not.toContain("hunter2");
  });

  it("is unknown without the privilege, and verify says so", async () => {
    await applyMigrations({ connection, folder: made.folder });
    const readonly = server.as("readonly", connection.database);
    const reason = `permission denied: user "${readonly.user}" may not read graphile_migrate.migrations`;
    expect(await pendingNames(readonly)).toBe(reason);
    const error = (await verifyMigrations(readonly, made.folder).catch((caught: unknown) => caught)) as OperationError;
    expect(error.message).toBe(
      `Cannot read which migrations ${readonly.user}@${readonly.host}:${readonly.port}/${readonly.database} has: ${reason}.`,
    );
  });

  it("uses graphile-migrate's hashes if the role can read only graphile-migrate's table", async () => {
    await applyMigrations({ connection, folder: made.folder });
    const readonly = server.as("readonly", connection.database);
    await withClient(inDatabase(server.connection(), connection.database), (client) =>
      client.query(
        `grant usage on schema graphile_migrate to ${readonly.user}; grant select on graphile_migrate.migrations to ${readonly.user}`,
      ),
    );
    expect(await readStatus(readonly, made.folder)).toMatchObject({
      known: true,
      pending: [],
      problems: [],
      applied: [{ filename: "000001-a.sql", durationMs: undefined }, { filename: "000002-b.sql" }],
    });
  });
});
