import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { migrations } from "../../../../../../infra/provider/resources/databases/migrations.ts";
import { type Properties, unknownValue } from "../../../../../../infra/provider-protocol/values.ts";
import { withClient } from "../../../../../../scripts/connection/client.ts";
import { contextOf } from "../../../../../unit/infra/provider/call-context.ts";
import {
  chain,
  committedFolderOf,
  type Draft,
  type TestFolder,
} from "../../../../../unit/scripts/migrate/committed-folder.ts";
import { startServer, type TestServer } from "../../../../server.ts";
import { bringUp, connectionInputs, folderInput } from "../../database-work.ts";

const drafts: Draft[] = [
  { name: "one", body: "create table one (id int primary key);" },
  { name: "two", body: "insert into one values (1);" },
];
const third: Draft = { name: "three", body: "insert into one values (3);" };
const files = ["000001-one.sql", "000002-two.sql"];

let server: TestServer;
let number = 0;
let database: string;
let folder: TestFolder;
let declared: Properties;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  database = `migrated${++number}`;
  await server.createDatabase(database);
  folder = await committedFolderOf(drafts);
  declared = { ...connectionInputs(server.as("migrator", database)), folder: folderInput(folder.folder) };
});
afterEach(() => folder.remove());

const writeThird = async () => {
  const file = chain([...drafts, third])[2];
  if (file !== undefined) await folder.write(file.filename, file.text);
};
const pendingOf = async (news: Properties, oldInputs?: Properties) =>
  (await migrations.check(contextOf("Migrations"), news, oldInputs)).inputs.pending;

describe("pending migrations at preview", () => {
  it("are all migrations if there is no server yet", async () => {
    expect(await pendingOf({ ...declared, host: unknownValue, port: unknownValue, password: unknownValue })).toEqual(
      files,
    );
  });

  it("are all migrations if there is no database yet", async () => {
    expect(await pendingOf({ ...declared, database: "postgres", user: "postgres", password: unknownValue })).toEqual(
      files,
    );
    const absent = connectionInputs(server.connection("not_there_yet"));
    expect(await pendingOf({ ...declared, ...absent })).toEqual(files);
  });

  it("are those not applied yet, each one a change that is announced by name", async () => {
    const context = contextOf("Migrations");
    const up = await bringUp(migrations, context, declared);
    await writeThird();
    const { inputs } = await migrations.check(context, declared, up.inputs);
    expect(inputs.pending).toEqual(["000003-three.sql"]);
    expect(await migrations.diff(context, up, inputs)).toEqual({ changes: [{ path: "pending[0]", kind: "add" }] });
    context.lines.length = 0;
    expect(await migrations.update(context, up, inputs, true)).toEqual({ applied: unknownValue });
    expect(context.lines).toEqual(["info: pending migration: 000003-three.sql"]);
  });

  it("are read with the former password if a rotation has not reached the role yet", async () => {
    const up = await bringUp(migrations, contextOf("Migrations"), declared);
    await writeThird();
    const news = { ...declared, password: "a password that no role has yet" };
    expect(await pendingOf(news, up.inputs)).toEqual(["000003-three.sql"]);
  });

  it("are unknown while the server is down, and not reported as none", async () => {
    const up = await bringUp(migrations, contextOf("Migrations"), declared);
    const down = await startServer();
    await down.stop();
    const { port } = down.connection();
    const { inputs } = await migrations.check(contextOf("Migrations"), { ...declared, port }, { ...up.inputs, port });
    expect(inputs.pending).toEqual(["pending unknown, server is down"]);
    expect(await migrations.diff(contextOf("Migrations"), up, inputs)).toEqual({
      changes: [{ path: "pending[0]", kind: "add" }],
    });
  });

  it("are unknown if the server refuses the password", async () => {
    const { host, port } = declared;
    const password = "another-password";
    expect(await pendingOf({ ...declared, password }, { ...declared, password })).toEqual([
      `pending unknown, Cannot connect to ${database}_migrator@${host}:${port}/${database}: password authentication failed for user "${database}_migrator".`,
    ]);
  });

  it("are read at the former port while the server is about to move", async () => {
    const up = await bringUp(migrations, contextOf("Migrations"), declared);
    const moved = await startServer();
    await moved.stop();
    expect(await pendingOf({ ...declared, port: moved.connection().port }, up.inputs)).toEqual([]);
  });

  it("are read with the former password while the new one is unknown", async () => {
    const up = await bringUp(migrations, contextOf("Migrations"), declared);
    const news = { ...declared, password: unknownValue, port: unknownValue };
    expect(await pendingOf(news, up.inputs)).toEqual([]);
    const { inputs } = await migrations.check(contextOf("Migrations"), news, up.inputs);
    expect(await migrations.diff(contextOf("Migrations"), up, inputs)).toEqual({ changes: [] });
  });
});

describe("migrations at up", () => {
  it("are applied in order and reported one by one, and then there are no changes", async () => {
    const context = contextOf("Migrations");
    const up = await bringUp(migrations, context, declared);
    expect(up).toMatchObject({ id: `${database}/migrations`, outputs: { applied: files } });
    const told = context.lines.filter((line) => line.startsWith("info"));
    expect(told).toEqual(files.map((file) => expect.stringMatching(`^info: applied ${file} in \\d+ ms$`)));
    expect((await bringUp(migrations, context, declared, up)).changes).toEqual([]);
    await writeThird();
    const later = await bringUp(migrations, context, declared, up);
    expect(later).toMatchObject({ changes: ["pending[0]"], outputs: { applied: [...files, "000003-three.sql"] } });
    expect((await bringUp(migrations, context, declared, later)).changes).toEqual([]);
    const { rows } = await withClient(server.as("migrator", database), (client) => client.query("select id from one"));
    expect(rows).toEqual([{ id: 1 }, { id: 3 }]);
  });

  it("report an error with file, line and SQLSTATE, and continue from there after a correction", async () => {
    await folder.remove();
    const broken = [...drafts, { name: "three", body: "insert into one\nvalues (1);" }];
    folder = await committedFolderOf(broken);
    declared = { ...declared, folder: folderInput(folder.folder) };
    const context = contextOf("Migrations");
    await expect(bringUp(migrations, context, declared)).rejects.toThrow(
      /^000003-three\.sql:\d+:1: duplicate key value violates unique constraint "one_pkey"[\s\S]*SQLSTATE 23505/,
    );
    expect(await pendingOf(declared)).toEqual(["000003-three.sql"]);
    await writeThird();
    expect((await bringUp(migrations, context, declared)).outputs.applied).toEqual([...files, "000003-three.sql"]);
  });

  it("are refused at preview if a file was edited after it was applied", async () => {
    const context = contextOf("Migrations");
    const up = await bringUp(migrations, context, declared);
    const edited = chain([{ name: "one", body: "create table one (id bigint primary key);" }, ...drafts.slice(1)]);
    for (const { filename, text } of edited) await folder.write(filename, text);
    await expect(migrations.check(context, declared, up.inputs)).rejects.toThrow(
      /^The committed migrations do not match the applied ones:\n- 000001-one\.sql was edited .*\n- 000002-two\.sql was edited .*$/,
    );
  });

  it("stay applied when the resource is deleted", async () => {
    const context = contextOf("Migrations");
    const up = await bringUp(migrations, context, declared);
    await migrations.delete(context, up);
    expect(await pendingOf(declared)).toEqual([]);
  });

  it("report all errors of the connection inputs together", async () => {
    const { failures } = await migrations.check(contextOf("Migrations"), { ...declared, port: 0, user: "" }, undefined);
    expect(failures?.map(({ property }) => property)).toEqual(["user", "port"]);
  });
});
