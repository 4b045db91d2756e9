import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Properties, unknownValue } from "../../../../infra/plugin/values.ts";
import { migrations } from "../../../../infra/provider/migrations.ts";
import { withClient } from "../../../../scripts/target/client.ts";
import { contextOf } from "../../../unit/infra/provider/call-context.ts";
import {
  chain,
  committedFolderOf,
  type Draft,
  type TestFolder,
} from "../../../unit/scripts/migrate/committed-folder.ts";
import { startServer, type TestServer } from "../../server.ts";
import { bringUp, connectionInputs, folderInput } from "./database-work.ts";

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

describe("pending migrations, at preview", () => {
  it("are all of them before there is a server", async () => {
    expect(await pendingOf({ ...declared, host: unknownValue, port: unknownValue, password: unknownValue })).toEqual(
      files,
    );
  });

  it("are all of them before there is a database", async () => {
    expect(await pendingOf({ ...declared, database: "postgres", user: "postgres", password: unknownValue })).toEqual(
      files,
    );
    const absent = connectionInputs(server.connection("not_there_yet"));
    expect(await pendingOf({ ...declared, ...absent })).toEqual(files);
  });

  it("are those that are not applied yet, each of them a change that is announced by name", async () => {
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

  it("are asked for with the password that held before, where a rotation has not reached the role yet", async () => {
    const up = await bringUp(migrations, contextOf("Migrations"), declared);
    await writeThird();
    const news = { ...declared, password: "a password that no role has yet" };
    expect(await pendingOf(news, up.inputs)).toEqual(["000003-three.sql"]);
  });

  it("are not known while the server is down, which is never reported as none", async () => {
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

  it("are not known with a password that the server refuses", async () => {
    const { host, port } = declared;
    const password = "another-password";
    expect(await pendingOf({ ...declared, password }, { ...declared, password })).toEqual([
      `pending unknown, Cannot connect to ${database}_migrator@${host}:${port}/${database}: password authentication failed for user "${database}_migrator".`,
    ]);
  });

  it("are asked at the port of before while the server is about to move", async () => {
    const up = await bringUp(migrations, contextOf("Migrations"), declared);
    const moved = await startServer();
    await moved.stop();
    expect(await pendingOf({ ...declared, port: moved.connection().port }, up.inputs)).toEqual([]);
  });

  it("are asked with the password of before while a new one is on its way", async () => {
    const up = await bringUp(migrations, contextOf("Migrations"), declared);
    const news = { ...declared, password: unknownValue, port: unknownValue };
    expect(await pendingOf(news, up.inputs)).toEqual([]);
    const { inputs } = await migrations.check(contextOf("Migrations"), news, up.inputs);
    expect(await migrations.diff(contextOf("Migrations"), up, inputs)).toEqual({ changes: [] });
  });
});

describe("migrations, at up", () => {
  it("are applied in their order, told one by one, and then there is nothing to do", async () => {
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

  it("fail on a fault with file, line and SQLSTATE, and go on there once it is mended", async () => {
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

  it("refuse, at preview already, a file that was edited after it was applied", async () => {
    const context = contextOf("Migrations");
    const up = await bringUp(migrations, context, declared);
    const edited = chain([{ name: "one", body: "create table one (id bigint primary key);" }, ...drafts.slice(1)]);
    for (const { filename, text } of edited) await folder.write(filename, text);
    await expect(migrations.check(context, declared, up.inputs)).rejects.toThrow(
      /^The committed migrations do not fit what is applied:\n- 000001-one\.sql was edited .*\n- 000002-two\.sql was edited .*$/,
    );
  });

  it("are left where they are when the resource is deleted", async () => {
    const context = contextOf("Migrations");
    const up = await bringUp(migrations, context, declared);
    await migrations.delete(context, up);
    expect(await pendingOf(declared)).toEqual([]);
  });

  it("report faults of the connection together", async () => {
    const { failures } = await migrations.check(contextOf("Migrations"), { ...declared, port: 0, user: "" }, undefined);
    expect(failures?.map(({ property }) => property)).toEqual(["user", "port"]);
  });
});
