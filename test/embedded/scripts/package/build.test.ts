import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { connectionUrl } from "../../../../scripts/connection/connection.ts";
import { healthServerFile } from "../../../../scripts/core/bundle-sources.ts";
import { bundleMigrations, bundleModule } from "../../../../scripts/migrate/authoring/bundle-files.ts";
import { bundleHealthServer } from "../../../../scripts/package/health-server.ts";
import { assets, optionalPeers } from "../../../../scripts/package/manifest.ts";
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
  const verified = started.ran ? (await verify({ database: "shop", migrations: process.argv[2] })).applied.length : 0;
  console.log(JSON.stringify({ ran: started.ran, applied: started.applied.map(({ filename }) => filename), verified }));
} catch (error) {
  if (!(error instanceof OperationError)) throw error;
  console.log(JSON.stringify({ message: error.message, hint: error.hint }));
}
`;

const fromBundle = `import { autoMigrate } from "pgroundwork";
import from from "./shop.migrations.mjs";
const { applied } = await autoMigrate({ from });
console.log(applied.map(({ filename }) => filename).join());
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
    await writeFile(join(application, "shop.migrations.mjs"), bundle);
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
    const version = 'console.log(require("pgroundwork/package.json").version)';
    expect(await inApplication("node", ["--eval", version])).toBe("0.1.0\n");
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
    const texts = ["CHANGELOG.md", "LICENSE", "README.md", "dist/licenses.txt", "package.json"];
    expect(other.sort()).toEqual([...texts, ...tracked.trim().split("\n")].sort());
    const index = await readFile(join(packed, "dist", "index.mjs"), "utf8");
    expect(index).not.toContain(cloneRoot);
  });

  it("contains the licenses of the packages whose code it contains", async () => {
    const licenses = await readFile(join(packed, "dist", "licenses.txt"), "utf8");
    const blocks = licenses.split(`\n${"-".repeat(80)}\n`);
    for (const name of ["commander", "graphile-migrate", "pg-cursor", "pg-protocol", "zod"])
      expect(blocks.find((each) => new RegExp(`^${name} [\\d.]+ \\(MIT\\)$`, "m").test(each))).toContain("Copyright");
  });

  it("contains the health server as one file that needs no other one, and is the same in every folder", async () => {
    const alone = await mkdtemp(join(own, "health-"));
    await cp(join(packed, "dist", healthServerFile), join(alone, healthServerFile));
    const started = run("node", [healthServerFile], { cwd: alone, env: { PATH: process.env.PATH } });
    await expect(started).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("/etc/pgroundwork/health.json"),
    });
    await cp(join(cloneRoot, "scripts"), join(alone, "scripts"), { recursive: true });
    await cp(join(cloneRoot, "package.json"), join(alone, "package.json"));
    await symlink(join(cloneRoot, "node_modules"), join(alone, "node_modules"));
    await bundleHealthServer(alone, join(alone, "bundle"));
    const [packaged, copied] = [alone, join(alone, "bundle")].map((folder) => readFile(join(folder, healthServerFile)));
    expect((await copied)?.equals((await packaged) ?? Buffer.alloc(0))).toBe(true);
  });

  it("contains the contexts of images and the engine's recipe as they are in the checkout", async () => {
    const [kit, checkout] = [join(installed.application, "node_modules", "pgroundwork"), cloneRoot];
    for (const asset of assets) await run("diff", ["-r", join(checkout, asset), join(kit, asset)]);
    const script = "infra/images/postgres/bin/postgres-entrypoint";
    const modes = await Promise.all([kit, checkout].map(async (root) => (await stat(join(root, script))).mode));
    expect(modes[0]).toBe(modes[1]);
  });

  it("migrates in an application that has nothing else, as it starts, if AUTO_MIGRATE says so, also four at once", async () => {
    const drafts = [{ name: "a", body: "create table a (x int); select pg_sleep(0.3);" }];
    const folder = await committedFolderOf(drafts);
    const shop = join(application, "db", "shop");
    await mkdir(join(application, "db"), { recursive: true });
    await run("cp", ["-r", folder.folder, shop]);
    await folder.remove();
    const start = async (AUTO_MIGRATE?: string) => {
      const env = { DATABASE_URL: connectionUrl(test.connection), AUTO_MIGRATE };
      return JSON.parse(await inApplication("node", ["program.js", "db"], env)) as { applied: string[] };
    };
    for (const value of [undefined, "", "false"])
      expect(await start(value)).toEqual({ ran: false, applied: [], verified: 0 });
    const started = await Promise.all([1, 2, 3, 4].map(() => start("true")));
    expect(started.flatMap(({ applied }) => applied)).toEqual(["000001-a.sql"]);
    expect(started).toEqual(started.map(({ applied }) => ({ ran: true, applied, verified: 1 })));
    expect(await start("true")).toEqual({ ran: true, applied: [], verified: 1 });
  });

  it.each(nodeVersions)(
    "migrates from a bundle in an application without a migrations folder, on Node %s",
    async (node) => {
      const env = { DATABASE_URL: connectionUrl(test.connection), AUTO_MIGRATE: "true" };
      expect(await inApplication("node", ["--version"], {}, installed.node(node))).toBe(`v${node}\n`);
      expect(await inApplication("node", ["from-bundle.js"], env, installed.node(node))).toBe("000001-a.sql\n");
      await mkdir(join(application, "empty", "shop"), { recursive: true });
      const refused = await inApplication("node", ["program.js", "empty"], env, installed.node(node));
      expect(JSON.parse(refused)).toMatchObject({ message: expect.stringContaining("000001-a.sql") });
      const imported = `for (const subpath of ["kysely", "pulumi"])
        console.log(Object.keys(await import("pgroundwork/" + subpath)).sort().join());`;
      const { stdout } = await run("node", ["--input-type=module", "--eval", imported], {
        cwd: installed.linked,
        env: { ...process.env, HOME: join(own, "home"), PATH: `${installed.node(node)}:${process.env.PATH}` },
      });
      const components = "BackupDrill,Backups,Database,DockerServer,EmbeddedServer,ExternalServer,Monitoring,Pooler";
      expect(stdout).toBe(`containing,kyselyOn,kyselyTransaction,pageOf\n${components}\n`);
    },
  );

  it("migrates in an application that a bundler put into one folder, without node_modules", async () => {
    const folder = join(own, "bundled");
    const bundled = await rolldown({
      ...{ input: "from-bundle.js", cwd: application, platform: "node" },
      // It reads a file of its own. Only some migrations need it.
      external: ["libpg-query", ...Object.keys(optionalPeers)],
    });
    await bundled.write({ dir: folder, entryFileNames: "[name].mjs", chunkFileNames: "[name].mjs" });
    await bundled.close();
    const env = { ...process.env, DATABASE_URL: connectionUrl(test.connection), AUTO_MIGRATE: "true" };
    const { stdout } = await run("node", [join(folder, "from-bundle.mjs")], { cwd: folder, env });
    expect(stdout).toBe("000001-a.sql\n");
  });

  it("refuses an older Node in one line", async () => {
    const script = 'Object.defineProperty(process.versions, "node", { value: "20.19.0" });';
    await writeFile(join(application, "old.cjs"), script);
    const pgw = join(installed.application, "node_modules", ".bin", "pgw");
    const ended = inApplication("node", ["--require", "./old.cjs", pgw, "--version"]);
    await expect(ended).rejects.toThrow(/error: Node v\S+ is too old\.\n {2}Use Node 22\.18 or later\.\n$/);
  });

  it("runs the program that the project has installed, whatever version npx has in its cache", async () => {
    const project = join(own, "other version");
    const program = join(project, "node_modules", "pgroundwork", "dist", "pgw.mjs");
    await mkdir(join(program, ".."), { recursive: true });
    await writeFile(program, 'console.log("the version of the project");');
    await mkdir(join(project, "src"));
    const cached = join(installed.application, "node_modules", ".bin", "pgw");
    const { stdout } = await run("node", [cached, "--version"], { cwd: join(project, "src") });
    expect(stdout).toBe("the version of the project\n");
    expect(await inApplication("node", [cached, "--version"])).toBe("0.1.0\n");
  });

  it("names both copies of @pulumi/pulumi if a program would load another one", async () => {
    const program = await mkdtemp(join(installed.workspace, "member-"));
    const copy = join(program, "node_modules", "@pulumi", "pulumi");
    await mkdir(copy, { recursive: true });
    await writeFile(join(copy, "package.json"), JSON.stringify({ name: "@pulumi/pulumi", version: "3.1.0" }));
    const started = run("node", ["--input-type=module", "--eval", 'await import("pgroundwork/pulumi");'], {
      cwd: program,
    });
    await expect(started).rejects.toThrow(
      `Two copies of @pulumi/pulumi are installed. pgroundwork would use ${join(installed.workspace, "node_modules")}`,
    );
    await rm(program, { recursive: true });
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
      const before = listing(packages);
      expect(await pgw(["migrate", "lint", "--all"], { url: "" })).toMatchObject({ code: 0, stderr: "" });
      const planned = await pgw(["migrate", "plan", "--json"], { cwd });
      expect(planned).toMatchObject({ code: 4 });
      expect(JSON.parse(planned.stdout)).toMatchObject({ files: [{ filename: "000001-a.sql", trial: "passed" }] });
      expect(await pgw(["migrate", "up"], { cwd })).toMatchObject({ code: 0 });
      expect(await pgw(["seed", "apply", "--set", "dev"], { cwd })).toMatchObject({ code: 0 });
      expect(await test.query("select x from a")).toEqual([{ x: 1 }]);
      expect(await pgw(["migrate", "status"])).toMatchObject({ code: 0 });
      expect(await pgw(["migrate", "bundle"], { url: "" })).toMatchObject({ code: 0 });
      expect(changedPaths(before, listing(packages))).toEqual([]);
    });

    it("names commands as they are typed in a project, not as npm scripts of the checkout", async () => {
      const { code, stderr } = await pgw(["migrate", "status"], { url: "postgresql://nobody@127.0.0.1:1/shop" });
      expect(code).toBe(1);
      expect(stderr).toContain("npx pgw up");
      expect((await pgw(["engine", "env", "--help"], { url: "" })).stdout).toMatch(/npx pgw\s+engine\s+env/);
    });

    it("names the package to install if a command needs one that the project does not have", async () => {
      const { code, stderr } = await pgw(["health", "serve"]);
      expect(code).toBe(1);
      expect(stderr).toContain("error: The package prom-client is not installed.\n  Run: npm install prom-client\n");
    });

    it("refuses a command on a stack without a Pulumi program, before it looks for an engine", async () => {
      const { code, stderr } = await pgw(["up"], { url: "" });
      expect(code).toBe(2);
      expect(stderr).toContain(`error: ${project} has no Pulumi.yaml`);
    });
  });
});
