import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type TestServer } from "../../../server.ts";
import { type Made, PluginProcess } from "./plugin-process.ts";
import { sql } from "./sql.ts";

let server: TestServer;
let plugin: PluginProcess;

beforeAll(async () => {
  server = await startServer();
  plugin = await PluginProcess.start(server.connection());
});
afterAll(async () => {
  await plugin?.stop();
  await server?.stop();
});

/** Expects no changes now and after a refresh. */
async function expectSettled(made: Made): Promise<void> {
  expect(await plugin.diff(made), `${made.type} ${made.name}`).toEqual([]);
  expect(await plugin.read(made)).toEqual(made);
}

describe("a database", () => {
  it("transfers its objects to a new owner with alterObjectOwnership", async () => {
    for (const name of ["first_owner", "second_owner"]) await plugin.create("Role", name, { name });
    const made = await plugin.create("Database", "owned", {
      name: "owned",
      owner: "first_owner",
      alterObjectOwnership: true,
    });
    await sql(server.connection("owned"), "create table t (a int)", "alter table t owner to first_owner");
    const updated = await plugin.update(made, { name: "owned", owner: "second_owner", alterObjectOwnership: true });
    expect(updated.outputs.owner).toBe("second_owner");
    expect(await sql(server.connection("owned"), "select tableowner from pg_tables where tablename = 't'")).toEqual([
      { tableowner: "second_owner" },
    ]);
  });

  it("can be copied from a template that the plugin has just been connected to", async () => {
    await plugin.create("Database", "pattern", { name: "pattern" });
    await plugin.create("Extension", "pattern", { name: "citext", database: "pattern" });
    const made = await plugin.create("Database", "copy", { name: "copy", template: "pattern" });
    expect(made.outputs.template).toBe("pattern");
    expect(await sql(server.connection("copy"), "select 1 from pg_extension where extname = 'citext'")).toHaveLength(1);
    await expectSettled(made);
  });

  it("shows settings that were changed by hand, and the next up corrects them", async () => {
    await plugin.create("Role", "drift_owner", { name: "drift_owner" });
    const made = await plugin.create("Database", "drift", { name: "drift", owner: "drift_owner" });
    await sql(server.connection(), "alter database drift owner to postgres", "alter database drift connection limit 4");
    const refreshed = (await plugin.read(made)) as Made;
    expect(refreshed.inputs).toMatchObject({ owner: "postgres", connectionLimit: 4 });
    expect(await plugin.diff(refreshed, { name: "drift", owner: "drift_owner" })).toEqual(["owner", "connectionLimit"]);
    await expectSettled(await plugin.update(refreshed, { name: "drift", owner: "drift_owner" }));
  });
});
