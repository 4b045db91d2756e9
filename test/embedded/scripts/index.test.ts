import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApplyResult, MigrationBundle } from "pgroundwork";
import { beforeAll, describe, expect, it } from "vitest";
import { connectionUrl } from "../../../scripts/connection/connection.ts";
import { bundleMigrations, bundleModule } from "../../../scripts/migrate/authoring/bundle-files.ts";
import { databasePerTest } from "./migrate/database-per-test.ts";
import { importPackage, type Kit } from "./package/entry-points.ts";

const test = databasePerTest();
let kit: Kit;
beforeAll(async () => {
  kit = await importPackage("");
});

const drafts = [
  { name: "a", body: "create table a (x int);" },
  { name: "b", body: "create table b (x int); select pg_sleep(0.3);" },
];
const both = ["000001-a.sql", "000002-b.sql"];
const names = ({ applied }: ApplyResult) => applied.map(({ filename }) => filename);

/** Writes a folder's bundle as a module, removes the folder, and imports the module as an application does. */
async function bundled(folder: Awaited<ReturnType<typeof test.folderOf>>): Promise<MigrationBundle> {
  const module = bundleModule(await bundleMigrations(folder.folder));
  await folder.remove();
  const imported = await import(`data:text/javascript,${encodeURIComponent(module)}`);
  return (imported as { default: MigrationBundle }).default;
}

describe("an application", () => {
  it("gets the values that AUTO_MIGRATE accepts before anything connects", async () => {
    const env = { DATABASE_URL: "postgresql://nobody@127.0.0.1:1/none", AUTO_MIGRATE: "yes" };
    await expect(kit.autoMigrate({ database: "shop", env })).rejects.toThrow('AUTO_MIGRATE is "yes".');
  });

  it("migrates, reads the status, verifies and reverts with a URL or its parts", async () => {
    const { folder } = await test.folderOf(drafts);
    const url = connectionUrl(test.connection);
    expect(names(await kit.migrate({ database: folder, connection: url, to: "1" }))).toEqual(["000001-a.sql"]);
    const status = await kit.migrationStatus({ database: folder, connection: test.connection });
    expect(status.pending.map(({ filename }) => filename)).toEqual(["000002-b.sql"]);
    expect((await kit.verify({ database: folder, connection: url })).applied).toHaveLength(1);
    await expect(kit.rollback({ database: folder, connection: url })).rejects.toThrow(
      "000001-a.sql has no down migration",
    );
    expect(await kit.seed({ database: folder, connection: url, sets: [] })).toEqual({ applied: [], skipped: [] });
  });

  it("migrates, verifies and reverts from a bundle after the folder was removed, as from the folder", async () => {
    const folder = await test.folderOf([
      ...drafts.slice(0, 1),
      { name: "b", body: "insert into log values (':GREETING');" },
    ]);
    await folder.write("000002-b.down.sql", "delete from log where note = ':GREETING';\n");
    await writeFile(join(folder.folder, "log.sql"), "create table log (note text);");
    const settings = { placeholders: { ":GREETING": "hello" }, beforeAllMigrations: { _: "sql", file: "./log.sql" } };
    await writeFile(join(folder.folder, ".gmrc"), JSON.stringify(settings));
    const byFolder = await kit.migrationStatus({ database: folder.folder, connection: test.connection });
    const [from, connection] = [await bundled(folder), test.connection];
    expect(await kit.migrationStatus({ from, connection })).toEqual(byFolder);
    expect(names(await kit.migrate({ from, connection }))).toEqual(both);
    expect((await kit.verify({ from, connection })).applied).toHaveLength(2);
    expect(await test.query("select note from log")).toEqual([{ note: "hello" }]);
    expect((await kit.rollback({ from, connection })).reverted.map(({ filename }) => filename)).toEqual([
      "000002-b.sql",
    ]);
    expect(await test.query("select note from log")).toEqual([]);
  });

  it("applies nothing from a bundle with a changed text, of another format, or that is none", async () => {
    const from = await bundled(await test.folderOf(drafts));
    const file = "committed/000001-a.sql";
    const edited = { ...from, files: { ...from.files, [file]: { sha256: from.files[file]?.sha256 ?? "", text: "" } } };
    const connection = test.connection;
    await expect(kit.migrate({ from: edited, connection })).rejects.toThrow(
      `Files in the bundle of ${from.database} do not match their hashes:\n- ${file}`,
    );
    await expect(kit.migrate({ from: { ...from, format: 2 }, connection })).rejects.toThrow(
      "The bundle has the format 2, and this version reads 1.",
    );
    const module = { default: from } as unknown as MigrationBundle;
    await expect(kit.migrate({ from: module, connection })).rejects.toThrow("`from` is not a bundle of migrations.");
    expect((await kit.migrationStatus({ from, connection })).applied).toEqual([]);
  });

  it("shows its seeds, deletes exactly their rows, and refuses to delete changed ones", async () => {
    const folder = await test.folderOf([{ name: "a", body: "create table a (x int primary key, note text);" }]);
    await mkdir(join(folder.folder, "seeds", "dev"), { recursive: true });
    await writeFile(join(folder.folder, "seeds", "dev", "010-a.sql"), "insert into a values (1), (2);");
    const target = { database: folder.folder, connection: test.connection, sets: ["dev"] };
    await kit.migrate(target);
    const states = async () =>
      (await kit.seedInfo(target)).map(({ filename, state, rows }) => ({ filename, state, rows }));
    expect(await states()).toEqual([{ filename: "010-a.sql", state: "new", rows: null }]);
    await kit.seed(target);
    await test.query("insert into a values (3)");
    expect(await states()).toMatchObject([{ state: "current", rows: { recorded: 2, changed: 0, gone: 0 } }]);
    const shown = await kit.clearSeeds({ ...target, dryRun: true });
    await test.query("update a set note = 'mine' where x = 2");
    await expect(kit.clearSeeds({ ...target, expected: shown })).rejects.toThrow("1 row of public.a changed");
    await test.query("update a set note = null where x = 2");
    expect((await kit.clearSeeds({ ...target, expected: shown })).deleted).toEqual([{ table: "public.a", rows: 2 }]);
    expect(await test.query("select x from a")).toEqual([{ x: 3 }]);
  });

  it("creates the tables for migrations once, and begins a migration", async () => {
    const { folder } = await test.folderOf([]);
    const target = { database: folder, connection: test.connection };
    expect(await kit.initializeMigrations(target)).toBe(true);
    expect(await kit.initializeMigrations(target)).toBe(false);
    const file = await kit.createMigration({ database: folder, message: "products" });
    expect(await readFile(file, "utf8")).toContain("--! Message: products");
    await writeFile(file, "--! Message: products\n\ncreate table products (x int);\n");
    const more = kit.createMigration({ database: folder, message: "more" });
    await expect(more).rejects.toThrow("current.sql is not empty: it contains an uncommitted migration.");
  });

  it("gets the names of wrong parts of the location of backups, and of a restore without a target", async () => {
    const location = { container: "shop-backup", owner: { project: "shop" } } as never;
    await expect(kit.listBackups(location)).rejects.toThrow(
      /^The location of the backups is not valid: owner\.stack, owner\.owner, server, image, .*schedule\.$/,
    );
    await expect(kit.restoreBackup(location, { to: { volume: "copy" }, exclusive: true })).rejects.toThrow(
      "`exclusive` and `timeline` need a point in time as `target`.",
    );
    await expect(kit.restoreBackup(location, { to: { volume: "copy" }, target: { lsn: "7" } })).rejects.toThrow(
      '"7" is not a position in the WAL, such as 0/30A0B28.',
    );
  });

  it("can distinguish errors by their class", async () => {
    const classes = Object.entries(kit).filter(([name]) => /^[A-Z]\w+Error$/.test(name));
    expect(classes).toHaveLength(23);
    for (const [name, type] of classes) expect(type.prototype, name).toBeInstanceOf(Error);
    const { folder } = await test.folderOf([{ name: "a", body: "create table a (x nope);" }]);
    await expect(kit.migrate({ database: folder, connection: test.connection })).rejects.toBeInstanceOf(
      kit.SqlFileError,
    );
    const away = { ...test.connection, port: 1 };
    await expect(kit.migrationStatus({ database: folder, connection: away })).rejects.toBeInstanceOf(
      kit.ConnectionError,
    );
    await expect(kit.migrationStatus({ database: folder, env: {} })).rejects.toBeInstanceOf(kit.OperationError);
    const connection = test.connection;
    for (const call of [kit.migrate, kit.migrationStatus, kit.verify, kit.rollback]) {
      await expect(call({ database: "shop", migrations: folder, connection })).rejects.toThrow(
        `The folder of the database "shop" does not exist: ${join(folder, "shop")}`,
      );
    }
    await expect(kit.migrationStatus({ database: folder, connection: "mysql://x" })).rejects.toThrow(
      "- connection does not start with postgresql://",
    );
  });
});
