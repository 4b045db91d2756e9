import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runCommandLine } from "../../../../../scripts/cli/commands/command-line.ts";
import { bundleMigrations, bundleModule } from "../../../../../scripts/migrate/authoring/bundle-files.ts";
import { committedFolderOf, type TestFolder } from "../committed-folder.ts";

const drafts = [
  { name: "a", body: "create table a (x int);" },
  { name: "b", body: "insert into a values (1); -- ümläut" },
];

let shop: TestFolder;
const write = (file: string, text: string | Buffer) => writeFile(join(shop.folder, file), text);
const gmrc = (settings: object) => write(".gmrc", `// JSON with comments\n${JSON.stringify(settings)}`);

beforeEach(async () => {
  shop = await committedFolderOf(drafts);
});
afterEach(() => shop.remove());

describe("a bundle of migrations", () => {
  it("contains committed files, down migrations, settings and SQL files of hooks, byte for byte", async () => {
    await shop.write("000001-a.down.sql", "drop table a;\n");
    await write("grants.sql", "select 1;");
    await write("notes.sql", "select 2;");
    await gmrc({
      pgSettings: { search_path: "app" },
      placeholders: { ":NAME": "!ENV" },
      afterAllMigrations: ["grants.sql", { _: "command", command: "types", shadow: true }],
      afterCurrent: { _: "command", command: "npm test" },
    });
    const { files } = await bundleMigrations(shop.folder);
    expect(Object.keys(files)).toEqual([
      ...["committed/000001-a.down.sql", "committed/000001-a.sql", "committed/000002-b.sql"],
      ...[".gmrc", "grants.sql"],
    ]);
    expect(files["committed/000002-b.sql"]?.text).toBe(shop.migrations[1]?.text);
    expect(JSON.parse(files[".gmrc"]?.text ?? "")).toEqual({
      ...{ pgSettings: { search_path: "app" }, placeholders: { ":NAME": "!ENV" } },
      ...{ afterReset: [], beforeAllMigrations: [], afterAllMigrations: [{ _: "sql", file: "grants.sql" }] },
    });
  });

  it("is the same module for the same files", async () => {
    const before = bundleModule(await bundleMigrations(shop.folder));
    expect(bundleModule(await bundleMigrations(shop.folder))).toBe(before);
    await shop.write("000002-b.down.sql", "delete from a;\n");
    expect(bundleModule(await bundleMigrations(shop.folder))).not.toBe(before);
  });

  it("contains no connection string of .gmrc", async () => {
    const url = "postgresql://me:hunter22@host/shop";
    await gmrc({ connectionString: url, rootConnectionString: url, shadowConnectionString: url });
    expect(bundleModule(await bundleMigrations(shop.folder))).not.toContain("hunter22");
  });

  it.each([{ command: "npm run types" }, { command: "npm run types", shadow: false }])(
    "is refused with a hook that runs a command outside of development: %j",
    async (hook) => {
      await gmrc({ afterAllMigrations: { _: "command", ...hook } });
      await expect(bundleMigrations(shop.folder)).rejects.toThrow(
        `${shop.folder}/.gmrc has hooks that a bundle cannot contain:\n- afterAllMigrations runs the command "npm run types"`,
      );
    },
  );

  it("is refused with settings that a program computes, because their values would be frozen", async () => {
    await write(".gmrc.cjs", "module.exports = { pgSettings: { password: process.env.HOME } };");
    await expect(bundleMigrations(shop.folder)).rejects.toThrow(`${shop.folder}/.gmrc.cjs is a program`);
  });

  it("is refused for settings that are not valid, and for a hook's file that is missing", async () => {
    await gmrc({ nonsense: 1 });
    await expect(bundleMigrations(shop.folder)).rejects.toThrow("were not understood: 'nonsense'");
    await gmrc({ afterReset: "absent.sql" });
    await expect(bundleMigrations(shop.folder)).rejects.toThrow("afterReset of .gmrc refers to absent.sql");
  });

  it("is refused for files out of order, not UTF-8, or absent", async () => {
    await shop.write("000001-a.down.sql", Buffer.from([0xff]) as unknown as string);
    await expect(bundleMigrations(shop.folder)).rejects.toThrow("committed/000001-a.down.sql cannot be bundled: it is");
    await rm(join(shop.folder, "committed", "000001-a.sql"));
    await expect(bundleMigrations(shop.folder)).rejects.toThrow("- 000002-b.sql follows");
    await rm(join(shop.folder, "committed"), { recursive: true });
    await expect(bundleMigrations(shop.folder)).rejects.toThrow("has no committed migrations");
  });
});

describe("migrate bundle", () => {
  let folder: string;
  let stdout: string;
  const [typed, code] = [process.argv, process.exitCode];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pgw-bundle-"));
    for (const emitter of [process, process.stdout, process.stderr]) vi.spyOn(emitter, "on").mockReturnThis();
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      stdout += String(text);
      return true;
    });
  });
  afterEach(async () => {
    [process.argv, process.exitCode] = [typed, code];
    vi.restoreAllMocks();
    await rm(folder, { recursive: true });
  });

  async function run(...args: string[]): Promise<unknown[]> {
    stdout = "";
    process.argv = ["node", "pgw", "migrate", "bundle", "-d", "trading", "--json", ...args];
    await runCommandLine();
    return [(JSON.parse(stdout) as { state: string }).state, process.exitCode];
  }

  it("writes the module once, and with --check reports a missing or outdated one", async () => {
    const file = join(folder, "trading.ts");
    expect(await run("-o", file, "--check")).toEqual(["outdated", 4]);
    await expect(stat(file)).rejects.toThrow("ENOENT");
    expect(await run("-o", file)).toEqual(["written", 0]);
    expect(await run("-o", file, "--check")).toEqual(["current", 0]);
    const { ino } = await stat(file);
    expect(await run("-o", file)).toEqual(["current", 0]);
    expect((await stat(file)).ino).toBe(ino);
    await writeFile(file, `${await readFile(file, "utf8")}\n`);
    expect(await run("-o", file, "--check")).toEqual(["outdated", 4]);
  });
});
