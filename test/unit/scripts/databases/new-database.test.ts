import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitCode } from "../../../../scripts/core/operation-error.ts";
import { listDatabases, readDatabaseFile } from "../../../../scripts/databases/database-file.ts";
import { newDatabase } from "../../../../scripts/databases/new-database.ts";
import { idempotencyFiles } from "../../../../scripts/migrate/authoring/idempotency-keys.ts";
import { readCommitted } from "../../../../scripts/migrate/committed.ts";
import { readSeedSets } from "../../../../scripts/seed/seed-file.ts";

describe("the folder of a new database", () => {
  let root: string;
  let migrations: string;
  let staging: string;
  const make = (name: string) => newDatabase(migrations, name, staging);

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "pgw-new-database-"));
    migrations = join(root, "migrations");
    staging = join(root, ".pgroundwork");
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it("is accepted by everything that reads such folders", async () => {
    await make("shop");
    expect(await listDatabases(migrations)).toEqual(["shop"]);
    expect(await readDatabaseFile(migrations, "shop")).toEqual({
      description: "",
      extensions: [],
      seedSets: ["reference", "dev"],
    });
    const folder = join(migrations, "shop");
    expect(await readCommitted(folder)).toEqual([]);
    expect((await readSeedSets(folder, ["reference", "dev"])).map(({ set, logins }) => [set, logins])).toEqual([
      ["reference", []],
      ["dev", []],
    ]);
    expect(JSON.parse(await readFile(join(folder, ".gmrc"), "utf8"))).toMatchObject({ migrationsFolder: "." });
  });

  it("has a first migration with its down migration if it was created with idempotency keys", async () => {
    const files = await newDatabase(migrations, "shop", staging, await idempotencyFiles());
    const [migration, ...others] = await readCommitted(join(migrations, "shop"));
    expect([migration?.filename, others]).toEqual(["000001-idempotency-keys.sql", []]);
    expect(await readFile(join(migrations, "shop", "committed", "000001-idempotency-keys.down.sql"), "utf8")).toBe(
      "drop table idempotency_keys;\n",
    );
    expect(new Set(files).size).toBe(files.length);
  });

  it("has exactly the reported files, and no temporary files remain", async () => {
    const files = await make("shop");
    const found = await readdir(join(migrations, "shop"), { recursive: true, withFileTypes: true });
    const paths = found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    expect(paths.sort()).toEqual(files.map((file) => join(migrations, "shop", file)).sort());
    expect(await readdir(staging)).toEqual([]);
  });

  it.each(["Shop", "1shop", "shop-2", "s hop", "", "../shop", "s".repeat(49), "ŝop"])(
    "is not created for the name %j",
    async (name) => {
      await expect(make(name)).rejects.toMatchObject({
        message: `"${name}" cannot be a database's name.`,
        exitCode: exitCode.usage,
      });
    },
  );

  it.each(["postgres", "template1"])("is not created for %s, which exists on every server", async (name) => {
    await expect(make(name)).rejects.toMatchObject({ exitCode: exitCode.usage });
  });

  it.each([
    ["pg_shop", "starts with pg_, which PostgreSQL reserves for its own roles"],
    ["node_modules", "is a folder that Git ignores: its files would not be committed"],
  ])("is not created for %s, and the reason is reported", async (name, reason) => {
    await expect(make(name)).rejects.toMatchObject({ message: `"${name}" ${reason}.`, exitCode: exitCode.usage });
    expect((await readdir(root)).length).toBe(0);
  });

  it("is not created for a folder that .gitignore names", async () => {
    const lines = (await readFile(new URL("../../../../.gitignore", import.meta.url), "utf8")).split("\n");
    const folders = lines.filter((line) => line.endsWith("/")).map((line) => line.slice(0, -1));
    expect(folders).not.toEqual([]);
    for (const folder of folders) await expect(make(folder)).rejects.toMatchObject({ exitCode: exitCode.usage });
  });

  it("does not replace an existing folder", async () => {
    await make("shop");
    await writeFile(join(migrations, "shop", "database.json"), '{"description":"mine"}');
    await expect(make("shop")).rejects.toMatchObject({
      message: `${join(migrations, "shop")} already exists.`,
      exitCode: exitCode.notAllowed,
    });
    expect((await readDatabaseFile(migrations, "shop")).description).toBe("mine");
    expect(await readdir(staging)).toEqual([]);
  });

  it("does not replace an existing file", async () => {
    await mkdir(migrations, { recursive: true });
    await writeFile(join(migrations, "shop"), "mine");
    await expect(make("shop")).rejects.toMatchObject({ exitCode: exitCode.notAllowed });
    expect(await readFile(join(migrations, "shop"), "utf8")).toBe("mine");
  });

  it("is created once by two simultaneous calls", async () => {
    const outcomes = await Promise.allSettled([make("shop"), make("shop")]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await listDatabases(migrations)).toEqual(["shop"]);
  });
});
