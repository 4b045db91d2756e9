import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { seeds } from "../../../../../../infra/provider/resources/databases/seeds.ts";
import { type Properties, unknownValue } from "../../../../../../infra/provider-protocol/values.ts";
import { withClient } from "../../../../../../scripts/connection/client.ts";
import { contextOf } from "../../../../../unit/infra/provider/call-context.ts";
import { startServer, type TestServer } from "../../../../server.ts";
import { bringUp, connectionInputs, folderInput } from "../../database-work.ts";

let server: TestServer;
let number = 0;
let database: string;
let folder: string;
let declared: Properties;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  database = `seeded${++number}`;
  await server.createDatabase(database);
  await withClient(server.as("migrator", database), (client) =>
    client.query("create table fruit (name text primary key, runs integer not null default 1)"),
  );
  folder = await mkdtemp(join(tmpdir(), "pgw-seeds-"));
  for (const set of ["dev", "demo"]) await mkdir(join(folder, "seeds", set), { recursive: true });
  await seed("dev", "01-apples.sql", "apple");
  await seed("dev", "02-pears.sql", "pear");
  await seed("demo", "01-plums.sql", "plum");
  declared = { ...connectionInputs(server.as("migrator", database)), folder: folderInput(folder), set: "dev" };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const seed = (set: string, file: string, fruit: string) =>
  writeFile(
    join(folder, "seeds", set, file),
    `insert into fruit (name) values ('${fruit}') on conflict (name) do update set runs = fruit.runs + 1;\n`,
  );
const fruit = async () => {
  const connection = server.as("migrator", database);
  return (await withClient(connection, (client) => client.query("select name, runs from fruit order by 1"))).rows;
};
const pendingOf = async (news: Properties, oldInputs?: Properties) =>
  (await seeds.check(contextOf("Seeds"), news, oldInputs)).inputs.pending;

describe("a seed set", () => {
  it("has all its files pending if there is no server yet", async () => {
    expect(await pendingOf({ ...declared, port: unknownValue })).toEqual(["01-apples.sql", "02-pears.sql"]);
  });

  it("is announced at preview with set and file", async () => {
    const context = contextOf("Seeds");
    const { inputs } = await seeds.check(context, declared, undefined);
    expect((await seeds.create(context, inputs, true)).outputs).toEqual({ applied: unknownValue });
    expect(context.lines).toEqual(["info: pending seed: dev/01-apples.sql", "info: pending seed: dev/02-pears.sql"]);
    expect(await fruit()).toEqual([]);
  });

  it("is applied once, without other sets, and a changed file is applied again", async () => {
    const context = contextOf("Seeds");
    const up = await bringUp(seeds, context, declared);
    expect(up).toMatchObject({ id: `${database}/seeds/dev`, outputs: { applied: ["01-apples.sql", "02-pears.sql"] } });
    expect(await fruit()).toEqual([
      { name: "apple", runs: 1 },
      { name: "pear", runs: 1 },
    ]);
    expect((await bringUp(seeds, context, declared, up)).changes).toEqual([]);
    await writeFile(join(folder, "seeds", "dev", "02-pears.sql"), "update fruit set runs = 9 where name = 'pear';\n");
    expect(await pendingOf(declared, up.inputs)).toEqual(["02-pears.sql"]);
    expect((await bringUp(seeds, context, declared, up)).changes).toEqual(["pending[0]"]);
    expect(await fruit()).toEqual([
      { name: "apple", runs: 1 },
      { name: "pear", runs: 9 },
    ]);
  });

  it("is unknown while the server is down, and not reported as applied", async () => {
    const up = await bringUp(seeds, contextOf("Seeds"), declared);
    const down = await startServer();
    await down.stop();
    const { port } = down.connection();
    expect(await pendingOf({ ...declared, port }, { ...up.inputs, port })).toEqual(["pending unknown, server is down"]);
    // Of a new resource, only the port that the server will have is known.
    expect(await pendingOf({ ...declared, port })).toEqual([
      `pending unknown, no server answers on ${declared.host}:${port}: it is down, or its port is about to change`,
    ]);
  });

  it("is read through the present port if another one is declared, whose silence is no reason", async () => {
    const up = await bringUp(seeds, contextOf("Seeds"), declared);
    const down = await startServer();
    await down.stop();
    const { port } = down.connection();
    expect(await pendingOf({ ...declared, port }, up.inputs)).toEqual([]);
    const pending = await pendingOf({ ...declared, port }, { ...up.inputs, password: "not that of the role" });
    expect(pending).toEqual([expect.stringMatching(/^pending unknown, .*password/)]);
  });

  it("keeps its rows when the resource is deleted", async () => {
    const context = contextOf("Seeds");
    const up = await bringUp(seeds, context, declared);
    await seeds.delete(context, up);
    expect(await fruit()).toHaveLength(2);
    expect(await pendingOf(declared)).toEqual([]);
  });
});
