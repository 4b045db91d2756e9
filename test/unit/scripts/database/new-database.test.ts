import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listDatabases, readDatabaseFile } from "../../../../scripts/database/database-file.ts";
import { newDatabase } from "../../../../scripts/database/new-database.ts";
import { exitCode } from "../../../../scripts/errors/operation-error.ts";
import { readCommitted } from "../../../../scripts/migrate/committed.ts";
import { readSeedSets } from "../../../../scripts/seed/seed-file.ts";

describe("a new database's folder", () => {
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

  it("is one that every reader of such folders accepts", async () => {
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

  it("has every file that it says, and leaves nothing beside it", async () => {
    const files = await make("shop");
    const found = await readdir(join(migrations, "shop"), { recursive: true, withFileTypes: true });
    const paths = found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    expect(paths.sort()).toEqual(files.map((file) => join(migrations, "shop", file)).sort());
    expect(await readdir(staging)).toEqual([]);
  });

  it.each(["Shop", "1shop", "shop-2", "s hop", "", "../shop", "s".repeat(49), "ŝop"])(
    "is not made for the name %j",
    async (name) => {
      await expect(make(name)).rejects.toMatchObject({
        message: `"${name}" cannot be a database's name.`,
        exitCode: exitCode.usage,
      });
    },
  );

  it.each(["postgres", "template1"])("is not made for %s, which every server has", async (name) => {
    await expect(make(name)).rejects.toMatchObject({ exitCode: exitCode.usage });
  });

  it.each([
    ["pg_shop", "begins with pg_, which PostgreSQL reserves for roles of its own"],
    ["node_modules", "is a folder that Git is told to ignore: its files would not be committed"],
  ])("is not made for %s, and the reason is said", async (name, reason) => {
    await expect(make(name)).rejects.toMatchObject({ message: `"${name}" ${reason}.`, exitCode: exitCode.usage });
    expect((await readdir(root)).length).toBe(0);
  });

  it("is not made for any folder that the kit's .gitignore names", async () => {
    const lines = (await readFile(new URL("../../../../.gitignore", import.meta.url), "utf8")).split("\n");
    const folders = lines.filter((line) => line.endsWith("/")).map((line) => line.slice(0, -1));
    expect(folders).not.toEqual([]);
    for (const folder of folders) await expect(make(folder)).rejects.toMatchObject({ exitCode: exitCode.usage });
  });

  it("never replaces one that is there", async () => {
    await make("shop");
    await writeFile(join(migrations, "shop", "database.json"), '{"description":"mine"}');
    await expect(make("shop")).rejects.toMatchObject({
      message: `${join(migrations, "shop")} is there already.`,
      exitCode: exitCode.notAllowed,
    });
    expect((await readDatabaseFile(migrations, "shop")).description).toBe("mine");
    expect(await readdir(staging)).toEqual([]);
  });

  it("never replaces a file of its name either", async () => {
    await mkdir(migrations, { recursive: true });
    await writeFile(join(migrations, "shop"), "mine");
    await expect(make("shop")).rejects.toMatchObject({ exitCode: exitCode.notAllowed });
    expect(await readFile(join(migrations, "shop"), "utf8")).toBe("mine");
  });

  it("is made once by two at once", async () => {
    const outcomes = await Promise.allSettled([make("shop"), make("shop")]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await listDatabases(migrations)).toEqual(["shop"]);
  });
});
