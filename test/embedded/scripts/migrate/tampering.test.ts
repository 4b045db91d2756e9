import { rm } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { exitCode } from "../../../../scripts/errors/operation-error.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { readStatus } from "../../../../scripts/migrate/verify.ts";
import type { Connection } from "../../../../scripts/target/connection.ts";
import { chain, type Draft } from "../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest, errorOf } from "./database-per-test.ts";

const test = databasePerTest();
const { folderOf, query } = test;
let connection: Connection;
beforeEach(() => {
  connection = test.connection;
});

const one: Draft = { name: "one", body: "create table one (id int primary key);" };

describe("a folder that does not fit what is applied", () => {
  it("is refused with every problem by name and both hashes, and nothing runs", async () => {
    const { folder, migrations, write } = await folderOf([
      one,
      { name: "two", body: "insert into one values (1);" },
      { name: "three", body: "create table three ();" },
    ]);
    await applyMigrations({ connection, folder });
    const [first, second, third] = migrations;
    const text = (first?.text ?? "").replace("primary key", "primary kex");
    await write("000001-one.sql", text);
    await rm(path.join(folder, "committed", "000002-two.sql"));
    const [added] = chain([{ name: "added", body: "create table added ();" }], 0);
    await write("000000-added.sql", added?.text ?? "");
    const [next] = chain([{ name: "next", body: "create table next ();" }], 4, third?.hash);
    await write("000004-next.sql", next?.text ?? "");
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.exitCode).toBe(exitCode.wrong);
    expect(error.message.split("\n")).toEqual([
      "The committed migrations do not fit what is applied:",
      expect.stringMatching(
        new RegExp(
          `^- 000001-one\\.sql was edited after it was applied: applied ${first?.hash}, now sha1:[0-9a-f]{40}$`,
        ),
      ),
      `- 000002-two.sql is applied (${second?.hash}) and its file is missing`,
      `- 000000-added.sql (${added?.hash}) is not applied and stands before files that are`,
    ]);
    expect(await query("select to_regclass('next') as next, to_regclass('added') as added")).toEqual([
      { next: null, added: null },
    ]);
  });

  it("is found out when the hash of an edited file was made to fit again", async () => {
    const { folder, write } = await folderOf([one]);
    await applyMigrations({ connection, folder });
    const [fitted] = chain([{ name: "one", body: "create table one (id bigint primary key);" }]);
    await write("000001-one.sql", fitted?.text ?? "");
    const status = await readStatus(connection, folder);
    expect(status).toMatchObject({ problems: [{ kind: "edited", filename: "000001-one.sql", found: fitted?.hash }] });
  });

  it("is found out when a byte outside graphile-migrate's hash changed", async () => {
    const { folder, write, migrations } = await folderOf([one]);
    await applyMigrations({ connection, folder });
    await write("000001-one.sql", (migrations[0]?.text ?? "").replace("\n\n", "\n--! Message: new\n\n"));
    const status = await readStatus(connection, folder);
    expect(status).toMatchObject({
      problems: [{ kind: "edited", filename: "000001-one.sql", expected: expect.stringMatching(/^sha256:/) }],
    });
  });
});
