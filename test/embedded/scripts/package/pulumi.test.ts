import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { parseConnectionUrl } from "../../../../scripts/connection/url.ts";
import { changedPaths, listing } from "../../../support/listing.ts";
import { requireReadOnly } from "../../../support/package-account.ts";
import { committed } from "../../../unit/scripts/migrate/committed-folder.ts";
import { type Installed, installPackage, nodeVersions } from "./installed.ts";
import { makePulumiProject, type PulumiProject } from "./pulumi-project.ts";
import { faultsWithPackage } from "./upgrade.ts";

const program = `import * as pulumi from "@pulumi/pulumi";
import { Database, EmbeddedServer } from "pgroundwork/pulumi";

const server = new EmbeddedServer("main", { memory: 512, maxConnections: 30, postgresql: { work_mem: "3MB" } });
const shop = new Database("shop", { server, seeds: ["dev"] });
export const version: pulumi.Output<string> = server.version;
export const url: pulumi.Output<string> = shop.url("readonly");
export const migrations: pulumi.Output<string[]> = shop.migrations;
export const password = shop.logins.app.password;
`;

/** A database.json with a job, which the server of the program does not run itself. */
function databaseFile(optional: boolean): string {
  const jobs = { tidy: { schedule: "0 3 * * *", command: "delete from a", optional } };
  return JSON.stringify({ extensions: ["citext"], seedSets: ["dev"], jobs });
}

describe("the package in a Pulumi program", () => {
  let project: PulumiProject;
  let installed: Installed;

  beforeAll(async () => {
    installed = await installPackage();
    project = await makePulumiProject({ program, stack: "local", layout: "pnpm" });
    const migration = committed("create table a (x int);");
    await project.write(`migrations/shop/committed/${migration.filename}`, migration.text);
    await project.write("migrations/shop/database.json", databaseFile(true));
    await project.write("migrations/shop/seeds/dev/010-a.sql", "insert into a values (7);");
  });
  afterAll(() => project?.remove());

  it("previews, creates, changes nothing, and destroys a server with a migrated database", async () => {
    // The program registers the plugin, too: a plain pulumi does not run pgw.
    const packages = join(installed.linked, "node_modules");
    await requireReadOnly(packages);
    const before = listing(packages);
    const script = `set -e
      plugins="\${PULUMI_HOME:-$HOME/.pulumi}/plugins"
      rm -r "$plugins"/resource-pgroundwork-*
      pulumi preview --stack local --non-interactive --color never
      ls "$plugins"`;
    const stdout = await project.shell(script);
    expect(stdout).toContain("pending migration: 000001-a.sql");
    expect(stdout).toContain("shop: the optional job tidy does not run: this server has no pg_cron");
    expect(stdout).toContain("\nresource-pgroundwork-v0.1.0\n");

    // Operations run on other releases of Node.js than those before.
    const [oldest, newest] = nodeVersions.map((release) => installed.node(release));
    const up = await project.pulumi("up --yes --skip-preview", oldest);
    expect(up).toContain("applied 000001-a.sql");
    expect(up).toMatch(/url\s*: \[secret\]/);
    expect(up).toMatch(/password\s*: \[secret\]/);
    const { connection } = parseConnectionUrl((await project.pulumi("stack output url --show-secrets")).trim(), "url");
    if (connection === undefined) throw new Error("the output is no URL");
    const query = `select x, current_setting('work_mem') as memory, rolname as role, rolconfig as configuration
      from a, pg_roles where rolname = current_user`;
    const { rows } = await withClient(connection, (client) => client.query(query));
    const configuration = expect.arrayContaining(["idle_in_transaction_session_timeout=60000"]);
    expect(rows).toEqual([{ x: 7, memory: "3MB", role: "shop_readonly", configuration }]);

    await project.pulumi("preview --expect-no-changes", newest);
    await project.write("migrations/shop/database.json", databaseFile(false));
    expect(await project.pulumi("preview")).toMatch(
      /has no pg_cron\. Run these jobs with `npx pgw jobs run --due` .*: tidy\./,
    );
    await project.write("migrations/shop/database.json", databaseFile(true));
    expect(await project.pulumi("destroy --yes --skip-preview", newest)).toMatch(/ \d+ deleted/);
    await expect(withClient(connection, (client) => client.query("select 1"))).rejects.toThrow("nothing listens");
    expect(changedPaths(before, listing(packages))).toEqual([]);
  });
});

it.each(["local", "external"] as const)(
  "a program with the package continues the stack %s of a checkout of the previous version",
  async (stack) => {
    expect(await faultsWithPackage(stack)).toEqual([]);
  },
);
