import { rm } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { existingObjects } from "../../../../infra/provider/functions/existing-objects.ts";
import { withClient } from "../../../../scripts/connection/client.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { ensureServer } from "../../../../scripts/server/embedded.ts";
import { dropDatabase } from "../../../../scripts/stack/erase/drop-database.ts";
import { connectionInputs } from "../../infra/provider/database-work.ts";
import { databasePerTest } from "../migrate/database-per-test.ts";
import { ownServers } from "../server/own-servers.ts";

const endless =
  "Every commit on the server would wait without a time limit for a synchronous standby that is not connected (synchronous_standby_names = '*').";

describe("a server whose commits wait for a synchronous standby that is not connected", () => {
  const test = databasePerTest({ synchronous_commit: "on" });
  const superuser = async (...statements: string[]) =>
    withClient(test.server.connection(), async (client) => {
      for (const statement of statements) await client.query(statement);
    });

  const setNames = (value: string) =>
    superuser(`alter system set synchronous_standby_names = ${value}`, "select pg_reload_conf()");
  // Registered after the hooks of the databases: without a standby, no database could be created.
  beforeEach(() => setNames("'*'"));
  afterEach(() => setNames("default"));

  it("gets no migrations, is not queried in vain, and loses no database", { timeout: 60_000 }, async () => {
    const { folder } = await test.folderOf([{ name: "one", body: "create table one (id int);" }]);
    const refused = expect.objectContaining({ message: expect.stringContaining(endless) });
    await expect(applyMigrations({ connection: test.connection, folder })).rejects.toEqual(refused);
    await expect(dropDatabase(test.server.connection(), test.connection.database)).rejects.toEqual(refused);
    expect(await test.query("select to_regclass('one') as one")).toEqual([{ one: null }]);
    const asked = { ...connectionInputs(test.server.connection()), roles: [], databases: [] };
    const context = { config: {}, signal: new AbortController().signal };
    expect(await existingObjects.call(context, asked)).toMatchObject({
      known: true,
      endlessCommits: `${endless}\n  Connect the standby. If there is none, run as a superuser: ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf();`,
    });
  });

  it("gets its migrations if the role's commits do not wait", async () => {
    const { user, database } = test.connection;
    await superuser(
      "set synchronous_commit = local",
      `alter role ${user} in database ${database} set synchronous_commit = local`,
    );
    const { folder } = await test.folderOf([{ name: "one", body: "create table one (id int);" }]);
    await applyMigrations({ connection: test.connection, folder });
    expect(await test.query("select to_regclass('one')::text as one")).toEqual([{ one: "one" }]);
  });
});

describe("a server with synchronous_standby_names in its settings", () => {
  const ownServer = ownServers();

  it("is not created, and a running one keeps its settings, because no standby is connected", async () => {
    const own = ownServer();
    const wrong = { ...own.spec, settings: { ...own.spec.settings, synchronous_standby_names: "*" } };
    await expect(ensureServer(wrong)).rejects.toThrow(endless);
    await expect(rm(own.directory.data)).rejects.toThrow("ENOENT");
    await own.ensure();
    const { tryStartEmbedded } = await import("../../../../scripts/scratch/settings-trial.ts");
    await expect(ensureServer(wrong, tryStartEmbedded)).rejects.toThrow(endless);
  });
});
