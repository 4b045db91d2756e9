import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { connectionUrl } from "../../../../scripts/connection/connection.ts";
import { bundleMigrations, bundleModule } from "../../../../scripts/migrate/authoring/bundle-files.ts";
import { assets } from "../../../../scripts/package/manifest.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { changedPaths, listing } from "../../../support/listing.ts";
import { giveToPackageAccount, packageAccount, requireReadOnly } from "../../../support/package-account.ts";
import { committedFolderOf } from "../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest } from "../migrate/database-per-test.ts";
import { bin, type Installed, installPackage, nodeVersions } from "./installed.ts";

const run = promisify(execFile);
const test = databasePerTest();

const program = `import { autoMigrate, OperationError, verify } from "pgroundwork";
try {
  const started = await autoMigrate({ database: "shop", migrations: process.argv[2] });
  const { applied } = await verify({ database: "shop", migrations: process.argv[2] });
  console.log(JSON.stringify({ ran: started.applied.map(({ filename }) => filename), applied: applied.length }));
} catch (error) {
  if (!(error instanceof OperationError)) throw error;
  console.log(JSON.stringify({ message: error.message, hint: error.hint }));
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
  let packed: string;
  let tarball: string;
  let installed: Installed;
  /** A folder of the application, below the packages that it has installed. */
  let application: string;

  /** Runs a program of the application with an empty home, and returns its output. */
  async function inApplication(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, node = bin) {
    const { stdout } = await run(command, args, {
      cwd: application,
      env: { ...process.env, HOME: join(own, "home"), ...env, PATH: `${node}:${bin}:${process.env.PATH}` },
    });
    return stdout;
  }

  beforeAll(async () => {
    own = await mkdtemp(join(inject("scratch"), "package-"));
    installed = await installPackage();
    ({ files: packed, tarball } = installed);
    application = await mkdtemp(join(installed.application, "app-"));
    await writeFile(join(application, "package.json"), JSON.stringify({ private: true, type: "module" }));
    await mkdir(join(own, "home"));
    await writeFile(join(application, "program.js"), program);
    await writeFile(join(application, "from-bundle.js"), fromBundle);
    const folder = await committedFolderOf([{ name: "a", body: "create table a (x int);" }]);
    const bundle = bundleModule(await bundleMigrations(folder.folder));
    for (const end of ["mjs", "ts"]) await writeFile(join(application, `shop.migrations.${end}`), bundle);
    await folder.remove();
  });

  afterAll(async () => {
    await rm(application, { recursive: true, force: true });
    await rm(own, { recursive: true, force: true });
  });

  it("has valid entry points and types, and no install script", async () => {
    await inApplication(join(bin, "publint"), ["--strict", tarball]);
    await inApplication(join(bin, "attw"), ["--profile", "esm-only", tarball]);
    const manifest = JSON.parse(await readFile(join(packed, "package.json"), "utf8")) as object;
    expect(manifest).not.toHaveProperty("scripts");
  });

  it("is small, and installs little with it", async () => {
    expect((await stat(tarball)).size).toBeLessThan(5_000_000);
    const { bytes, packages } = await measure(join(installed.application, "node_modules"));
    process.stdout.write(`an application installs ${packages} packages, ${(bytes / 1_000_000).toFixed(1)} MB\n`);
    expect(bytes).toBeLessThan(15_000_000);
    expect(packages).toBeLessThanOrEqual(20);
  });

  it("contains neither tests nor examples nor the machine's paths", async () => {
    const { stdout } = await run("tar", ["-tzf", tarball]);
    const other = stdout
      .trim()
      .split("\n")
      .map((file) => file.slice("package/".length))
      .filter((file) => !/^dist\/[\w-]+(\.d\.mts|\.mjs|\.mjs\.map)$/.test(file));
    const { stdout: tracked } = await run("git", ["ls-files", ...assets], { cwd: cloneRoot });
    const texts = ["CHANGELOG.md", "LICENSE", "README.md", "package.json"];
    expect(other.sort()).toEqual([...texts, ...tracked.trim().split("\n")].sort());
    const index = await readFile(join(packed, "dist", "index.mjs"), "utf8");
    expect(index).not.toContain(cloneRoot);
  });

  it("contains the contexts of images and the engine's recipe as they are in the checkout", async () => {
    const [kit, checkout] = [join(installed.application, "node_modules", "pgroundwork"), cloneRoot];
    for (const asset of assets) await run("diff", ["-r", join(checkout, asset), join(kit, asset)]);
    const script = "infra/images/postgres/bin/postgres-entrypoint";
    const modes = await Promise.all([kit, checkout].map(async (root) => (await stat(join(root, script))).mode));
    expect(modes[0]).toBe(modes[1]);
  });

  it.each([
    { module: "nodenext", moduleResolution: "nodenext" },
    { module: "esnext", moduleResolution: "bundler" },
  ])("has types for programs with moduleResolution $moduleResolution", async (options) => {
    const common = {
      target: "es2024",
      lib: ["es2024", "esnext.disposable", "dom"],
      // The pool's types are those of the driver, which has none of its own: applications add @types/pg.
      types: ["node"],
      typeRoots: [join(cloneRoot, "node_modules", "@types")],
      paths: { pg: [join(cloneRoot, "node_modules", "@types", "pg", "index.d.ts")] },
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

  it.each(nodeVersions)(
    "migrates from a bundle in an application without a migrations folder, on Node %s",
    async (node) => {
      const env = { DATABASE_URL: connectionUrl(test.connection) };
      expect(await inApplication("node", ["--version"], {}, installed.node(node))).toBe(`v${node}\n`);
      expect(await inApplication("node", ["from-bundle.js"], env, installed.node(node))).toBe("000001-a.sql\n");
      const imported = 'await import("pgroundwork/pulumi").then((kit) => console.log(Object.keys(kit).sort().join()))';
      const components = await run("node", ["--input-type=module", "--eval", imported], {
        cwd: installed.workspace,
        env: { ...process.env, HOME: join(own, "home"), PATH: `${installed.node(node)}:${process.env.PATH}` },
      });
      expect(components.stdout).toBe("Backups,Database,DockerServer,EmbeddedServer,ExternalServer,Monitoring\n");
    },
  );

  it("refuses an older Node in one line", async () => {
    const script = 'Object.defineProperty(process.versions, "node", { value: "20.19.0" });';
    await writeFile(join(application, "old.cjs"), script);
    const pgw = join(installed.application, "node_modules", ".bin", "pgw");
    const ended = inApplication("node", ["--require", "./old.cjs", pgw, "--version"]);
    await expect(ended).rejects.toThrow(/error: Node v\S+ is too old\.\n {2}Use Node 22\.18 or later\.\n$/);
  });

  it("refuses a folder that the application does not have, instead of finding nothing to do", async () => {
    const env = { DATABASE_URL: connectionUrl(test.connection), AUTO_MIGRATE: "true" };
    expect(JSON.parse(await inApplication("node", ["program.js", "elsewhere"], env))).toEqual({
      message: expect.stringMatching(/^The folder of the database "shop" does not exist: .*\/elsewhere\/shop$/),
      hint: expect.stringMatching(
        /^Correct `database`, or set `migrations` to the folder that contains it. .*`from`.$/,
      ),
    });
  });

  describe("its command line", () => {
    let caches: string;
    let project: string;

    const ownUrl = () => connectionUrl({ ...test.connection, password: undefined });

    /**
     * Runs `pgw` in a folder of the project, as a user that owns neither the packages nor their folder, on the test's
     * database. Returns its exit code and its output.
     */
    async function pgw(args: readonly string[], { cwd = project, url = ownUrl() } = {}) {
      const env = {
        PATH: `${bin}:${process.env.PATH}`,
        HOME: join(own, "nowhere"),
        XDG_CACHE_HOME: caches,
        XDG_DATA_HOME: caches,
        PGPASSWORD: test.connection.password,
      };
      const target = url === "" ? [] : ["--url", url];
      const command = join(installed.workspace, "node_modules", ".bin", "pgw");
      const finished = run(command, [...args, ...target], { cwd, env, ...packageAccount });
      return finished.then(
        ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
        ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
      );
    }

    beforeAll(async () => {
      caches = join(own, "caches");
      project = join(own, "a project");
      await mkdir(caches);
      await chmod(own, 0o755);
      const folder = await committedFolderOf([{ name: "a", body: "create table a (x int);" }]);
      await cp(folder.folder, join(project, "migrations", "shop"), { recursive: true });
      await folder.remove();
      await mkdir(join(project, "migrations", "shop", "seeds", "dev"), { recursive: true });
      await writeFile(join(project, "migrations", "shop", "database.json"), JSON.stringify({ seedSets: ["dev"] }));
      await writeFile(join(project, "migrations", "shop", "seeds", "dev", "010-a.sql"), "insert into a values (1);");
      await giveToPackageAccount(caches, project);
    });

    it("lints, plans in a scratch cluster, migrates and seeds from a sub-folder, and writes nothing to packages", async () => {
      const cwd = join(project, "migrations", "shop");
      const packages = join(installed.workspace, "node_modules");
      await requireReadOnly(packages);
      const before = await listing(packages);
      expect(await pgw(["migrate", "lint", "--all"], { url: "" })).toMatchObject({ code: 0, stderr: "" });
      const planned = await pgw(["migrate", "plan", "--json"], { cwd });
      expect(planned).toMatchObject({ code: 4 });
      expect(JSON.parse(planned.stdout)).toMatchObject({ files: [{ filename: "000001-a.sql", trial: "passed" }] });
      expect(await pgw(["migrate", "up"], { cwd })).toMatchObject({ code: 0 });
      expect(await pgw(["seed", "apply", "--set", "dev"], { cwd })).toMatchObject({ code: 0 });
      expect(await test.query("select x from a")).toEqual([{ x: 1 }]);
      expect(await pgw(["migrate", "status"])).toMatchObject({ code: 0 });
      expect(await pgw(["migrate", "bundle"], { url: "" })).toMatchObject({ code: 0 });
      expect(changedPaths(before, await listing(packages))).toEqual([]);
    });

    it("names commands as they are typed in a project, not as npm scripts of the checkout", async () => {
      const { code, stderr } = await pgw(["migrate", "status"], { url: "postgresql://nobody@127.0.0.1:1/shop" });
      expect(code).toBe(1);
      expect(stderr).toContain("npx pgw up");
      expect((await pgw(["engine", "env", "--help"], { url: "" })).stdout).toMatch(/npx pgw\s+engine\s+env/);
    });

    it("refuses a command on a stack without a Pulumi program, before it looks for an engine", async () => {
      const { code, stderr } = await pgw(["up"], { url: "" });
      expect(code).toBe(2);
      expect(stderr).toContain(`error: ${project} has no Pulumi.yaml`);
    });
  });
});
