import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { connectionUrl } from "../../../../scripts/connection/connection.ts";
import { bundleMigrations, bundleModule } from "../../../../scripts/migrate/authoring/bundle-files.ts";
import { buildPackage } from "../../../../scripts/package/build.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { committedFolderOf } from "../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest } from "../migrate/database-per-test.ts";

const run = promisify(execFile);
const bin = join(cloneRoot, "node_modules", ".bin");
const test = databasePerTest();

const program = `import { autoMigrate, OperationError, verify } from "pgroundwork";
try {
  const started = await autoMigrate({ database: "shop", migrations: process.argv[2] });
  const { applied } = await verify({ database: "shop", migrations: process.argv[2] });
  console.log(JSON.stringify({ ran: started.applied.map(({ filename }) => filename), applied: applied.length }));
} catch (error) {
  if (!(error instanceof OperationError)) throw error;
  console.log(JSON.stringify({ message: error.message, remedy: error.remedy }));
}
`;

const fromBundle = `import { migrate } from "pgroundwork";
import from from "./shop.migrations.mjs";
const { applied } = await migrate({ from });
console.log(applied.map(({ filename }) => filename).join());
`;

const typed = `import { type ApplyResult, autoMigrate, type Connection, migrate, rollback, seed } from "pgroundwork";
import from from "./shop.migrations.js";
const connection: Connection = { host: "h", port: 1, database: "d", user: "u", sslmode: "disable" };
const result: Promise<ApplyResult & { ran: boolean }> = autoMigrate({ database: "shop", connection });
// @ts-expect-error a database or a bundle is required
void migrate({});
void migrate({ from, connection });
void [result, rollback({ database: "shop", steps: 1 }), seed({ database: "shop", sets: ["dev"] })];
`;

/** Returns the bytes of a folder's files, and the number of packages in it. */
async function measure(folder: string): Promise<{ bytes: number; packages: number }> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size),
  );
  const lock = JSON.parse(await readFile(join(folder, ".package-lock.json"), "utf8")) as { packages: object };
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), packages: Object.keys(lock.packages).length };
}

describe("the package", () => {
  let own: string;
  let tarball: string;
  let application: string;

  /** Runs a program of the application with an empty home, and returns its output. */
  async function inApplication(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const { stdout } = await run(command, args, {
      cwd: application,
      env: { ...process.env, ...env, HOME: join(own, "home"), PATH: `${bin}:${process.env.PATH}` },
    });
    return stdout;
  }

  beforeAll(async () => {
    own = await mkdtemp(join(inject("scratch"), "package-"));
    tarball = await buildPackage(cloneRoot, join(own, "package", "files"));
    application = join(own, "application");
    for (const folder of [application, join(own, "home")]) await mkdir(folder);
    await writeFile(join(application, "package.json"), JSON.stringify({ private: true, type: "module" }));
    await writeFile(join(application, "program.js"), program);
    await writeFile(join(application, "from-bundle.js"), fromBundle);
    const folder = await committedFolderOf([{ name: "a", body: "create table a (x int);" }]);
    const bundle = bundleModule(await bundleMigrations(folder.folder));
    for (const end of ["mjs", "ts"]) await writeFile(join(application, `shop.migrations.${end}`), bundle);
    await folder.remove();
    // The machine's registry may be set in the home that the application does not have.
    await inApplication("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", tarball], {
      npm_config_userconfig: join(homedir(), ".npmrc"),
    });
  });

  afterAll(() => rm(own, { recursive: true, force: true }));

  it("has valid entry points and types, and no install script", async () => {
    await inApplication(join(bin, "publint"), ["--strict", tarball]);
    await inApplication(join(bin, "attw"), ["--profile", "esm-only", tarball]);
    const manifest = JSON.parse(await readFile(join(own, "package", "files", "package.json"), "utf8")) as object;
    expect(manifest).not.toHaveProperty("scripts");
  });

  it("is small, and installs little with it", async () => {
    expect((await stat(tarball)).size).toBeLessThan(5_000_000);
    const { bytes, packages } = await measure(join(application, "node_modules"));
    expect(bytes).toBeLessThan(15_000_000);
    expect(packages).toBeLessThanOrEqual(20);
  });

  it("contains neither tests nor examples nor the machine's paths", async () => {
    const { stdout } = await run("tar", ["-tzf", tarball]);
    const other = stdout
      .trim()
      .split("\n")
      .filter((file) => !/^package\/dist\/[\w-]+\.m?[jt]s(\.map)?$/.test(file));
    expect(other.filter((file) => !file.endsWith(".d.mts")).sort()).toEqual(
      ["CHANGELOG.md", "LICENSE", "README.md", "package.json"].map((file) => `package/${file}`),
    );
    const index = await readFile(join(own, "package", "files", "dist", "index.mjs"), "utf8");
    expect(index).not.toContain(cloneRoot);
  });

  it.each([
    { module: "nodenext", moduleResolution: "nodenext" },
    { module: "esnext", moduleResolution: "bundler" },
  ])("has types for programs with moduleResolution $moduleResolution", async (options) => {
    const common = {
      target: "es2024",
      lib: ["es2024", "dom"],
      types: [],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
    };
    await writeFile(join(application, "typed.ts"), typed);
    await writeFile(
      join(application, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { ...common, ...options }, include: ["typed.ts"] }),
    );
    const checked = inApplication(join(bin, "tsc"), ["--project", "."]);
    await expect(checked.catch(({ stdout }: { stdout: string }) => stdout)).resolves.toBe("");
  });

  it("migrates and verifies in an application that has nothing else, also four at once", async () => {
    const folder = await committedFolderOf([{ name: "a", body: "create table a (x int);" }]);
    const shop = join(application, "db", "shop");
    await mkdir(join(application, "db"), { recursive: true });
    await run("cp", ["-r", folder.folder, shop]);
    await folder.remove();
    const env = { DATABASE_URL: connectionUrl(test.connection), AUTO_MIGRATE: "true" };
    const start = async () => JSON.parse(await inApplication("node", ["program.js", "db"], env)) as { ran: string[] };
    const started = await Promise.all([start(), start(), start(), start()]);
    expect(started.flatMap(({ ran }) => ran)).toEqual(["000001-a.sql"]);
    expect(started).toEqual(started.map(({ ran }) => ({ ran, applied: 1 })));
  });

  it("migrates from a bundle in an application that has no migrations folder", async () => {
    const env = { DATABASE_URL: connectionUrl(test.connection) };
    expect(await inApplication("node", ["from-bundle.js"], env)).toBe("000001-a.sql\n");
  });

  it("refuses a folder that the application does not have, instead of finding nothing to do", async () => {
    const env = { DATABASE_URL: connectionUrl(test.connection), AUTO_MIGRATE: "true" };
    expect(JSON.parse(await inApplication("node", ["program.js", "elsewhere"], env))).toEqual({
      message: expect.stringMatching(/^The folder of the database "shop" does not exist: .*\/elsewhere\/shop$/),
      remedy: expect.stringMatching(
        /^Correct `database`, or set `migrations` to the folder that contains it. .*`from`.$/,
      ),
    });
  });
});
