import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { migrations } from "../../../../../../infra/provider/resources/databases/migrations.ts";
import type { Properties } from "../../../../../../infra/provider-protocol/values.ts";
import { withClient } from "../../../../../../scripts/connection/client.ts";
import { contextOf } from "../../../../../unit/infra/provider/call-context.ts";
import {
  chain,
  committedFolderOf,
  type Draft,
  type TestFolder,
} from "../../../../../unit/scripts/migrate/committed-folder.ts";
import { startServer, type TestServer } from "../../../../server.ts";
import { bringUp, connectionInputs, folderInput, type Kept } from "../../database-work.ts";

const first: Draft = { name: "one", body: "create table one (id int primary key, a text);\ncreate index on one (a);" };
const drop = "alter table one drop column a;";

let server: TestServer;
let number = 0;
let folder: TestFolder;
let declared: Properties;
let up: Kept;
const context = contextOf("Migrations");

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  const database = `linted${++number}`;
  await server.createDatabase(database);
  folder = await committedFolderOf([first]);
  const connection = connectionInputs(server.as("migrator", database));
  declared = { ...connection, folder: folderInput(folder.folder), lint: true };
  up = await bringUp(migrations, context, declared);
});
afterEach(() => folder.remove());

const write = async (body: string) => {
  const file = chain([first, { name: "two", body }])[1];
  if (file !== undefined) await folder.write(file.filename, file.text);
};

describe("linted migrations", () => {
  it("are applied in a new environment, where nothing is in use yet", () => {
    expect(up.outputs).toEqual({ applied: ["000001-one.sql"] });
  });

  it("are refused at preview if a pending one is unsafe, with its position and rule", async () => {
    await write(drop);
    await expect(migrations.check(context, declared, up.inputs)).rejects.toMatchObject({
      message:
        "Pending migrations are unsafe on a database in use:\n000002-two.sql:4:17: error ban-drop-column: Dropping a column may break existing clients.",
      exitCode: 3,
    });
  });

  it("are refused at up, whatever the preview did", async () => {
    const { inputs } = await migrations.check(context, { ...declared, lint: false }, up.inputs);
    await write(drop);
    await expect(migrations.update(context, up, { ...inputs, lint: true }, false)).rejects.toThrow("ban-drop-column");
    const columns = "select 1 from information_schema.columns where table_name = 'one' and column_name = 'a'";
    const { database } = declared;
    const rows = await withClient(server.connection(String(database)), async (client) => client.query(columns));
    expect(rows.rowCount).toBe(1);
  });

  it("are applied if they give a reason", async () => {
    await write(`-- squawk-ignore ban-drop-column: nobody reads it since 2.0\n${drop}`);
    expect((await bringUp(migrations, context, declared, up)).changes).toEqual(["pending[0]"]);
  });

  it("are applied without checks if lint is off", async () => {
    await write(drop);
    const { lint, ...unjudged } = declared;
    expect((await bringUp(migrations, context, unjudged, up)).changes).toEqual(["pending[0]"]);
  });
});
