import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import type { HealthStatus } from "../../../../scripts/health/judge.ts";
import { chain } from "../../../unit/scripts/migrate/committed-folder.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { makeShop, shopSettings } from "./shop.ts";

describe("a database that is removed from the settings", () => {
  let clone: Clone;
  let app: Connection;
  const products = (connection: Connection) =>
    withClient(connection, async (client) => (await client.query("select name from product order by id")).rows);

  /** State of the migrations in each database, in the JSON of `health check`. */
  const migrationsIn = (json: string) => {
    const { subjects } = JSON.parse(json) as HealthStatus;
    const found = subjects.filter(({ name }) => name === "migrations");
    return Object.fromEntries(found.map(({ database, level, detail }) => [database, [level, detail]]));
  };

  beforeAll(async () => {
    clone = await makeShop();
    await clone.write("migrations/depot/database.json", "{}");
    await clone.write("migrations/depot/committed/.gitkeep", "");
    await clone.configure({ ...shopSettings, databases: ["shop", "depot"] });
    await clone.succeed("up");
    app = await clone.login("app", "shop");
  });
  afterAll(() => clone?.remove());

  it("is reported with the others by all read-only commands while it is still declared", async () => {
    const status = await clone.succeed("migrate", "status");
    expect(status.stdout).toContain("depot of stack local: 0 applied, 0 pending\n\n");
    expect(status.stdout).toContain("shop of stack local: 2 applied, 0 pending\n");
    const json = JSON.parse((await clone.succeed("migrate", "status", "--json")).stdout);
    expect(json).toMatchObject({
      databases: [
        { database: "depot", applied: [] },
        { database: "shop", pending: [], problems: [] },
      ],
    });
    expect((await clone.succeed("migrate", "lint")).stdout).toContain("depot: 0 checked");
    const verified = await clone.succeed("migrate", "verify");
    expect(verified.stdout).toBe(
      "depot of stack local: 0 applied migrations match their files\nshop of stack local: 2 applied migrations match their files\n",
    );
    expect(JSON.parse((await clone.succeed("migrate", "verify", "--json")).stdout)).toEqual({
      databases: [
        { database: "depot", verified: 0, edited: [], problems: [] },
        { database: "shop", verified: 2, edited: [], problems: [] },
      ],
    });
    const [pending] = chain([{ name: "pallet", body: "create table pallet (id integer);" }]);
    await clone.write(`migrations/depot/committed/${pending?.filename}`, pending?.text ?? "");
    const planned = await clone.pgw("migrate", "plan", "--json");
    expect(planned.code, planned.stderr).toBe(4);
    expect(JSON.parse(planned.stdout)).toMatchObject({
      databases: [
        { database: "depot", files: [{ filename: pending?.filename, trial: "passed" }] },
        { database: "shop", files: [] },
      ],
    });
    // A busy machine may need more than the time limit of a collector.
    await vi.waitFor(async () => {
      const { code, stdout } = await clone.pgw("health", "check", "--json");
      expect(migrationsIn(stdout)).toEqual({
        depot: ["warning", expect.stringContaining(`1 pending: ${pending?.filename}`)],
        shop: ["ok", expect.stringMatching(/^2 applied, .*, none pending$/)],
      });
      expect(code).toBe(4);
    }, 20_000);
    const { stdout } = await clone.pgw("health", "check", "-d", "shop", "--json");
    expect(Object.keys(migrationsIn(stdout))).toEqual(["shop"]);
    await clone.shell(`rm migrations/depot/committed/${pending?.filename}`);
    const seeds = await clone.succeed("seed", "info");
    expect(seeds.stdout).toContain("shop of stack local:");
    expect(seeds.stdout).toContain("depot of stack local:");
  });

  it.each(["depot", "shop"])(
    "is unknown in health check while monitor cannot read it, and the server is not: %s",
    async (name) => {
      const superuser = await clone.login("superuser", "shop");
      const access = (change: string) => withClient(superuser, (client) => client.query(change));
      await access(`revoke connect on database ${name} from monitor`);
      try {
        const { code, stdout } = await clone.pgw("health", "check", "--require", "migrations", "--json");
        expect(migrationsIn(stdout)).toMatchObject({ [name]: ["unknown", expect.stringContaining(name)] });
        expect(stdout).toMatch(/"name": "server",\s+"level": "ok"/);
        expect(code).toBe(5);
      } finally {
        await access(`grant connect on database ${name} to monitor`);
      }
    },
  );

  it("has to be named while there are several, and the error prints the commands to type", async () => {
    const { code, stdout, stderr } = await clone.shell("npm run -s pgw -- url -r readonly");
    expect([code, stdout, stderr]).toEqual([
      2,
      "",
      `error: Stack "local" has 2 databases: depot, shop.
  Name one with --database:
    npm run -s pgw -- url -r readonly --database depot
    npm run -s pgw -- url -r readonly --database shop
`,
    ]);
    const line = /npm run .* depot$/m.exec(stderr)?.[0] ?? "";
    expect((await clone.shell(line)).stdout).toMatch(/^postgresql:\/\/depot_readonly:/);
    for (const command of ["psql", "migrate plan --to 1", "migrate down"])
      expect((await clone.pgw(...command.split(" "))).stderr).toContain(
        `\n    npm run pgw -- ${command} --database depot\n`,
      );
    expect((await clone.pgw("migrate", "new", "notes")).stderr).toContain(
      "\n    npm run pgw -- migrate new notes --database depot\n",
    );
  });

  it("is reported as left on the server by preview and up", async () => {
    await clone.configure({ ...shopSettings, databases: ["depot"], seeds: [] });
    expect(await changesOf(clone, "preview")).toContain("leave shop-database");
    const { stdout } = await clone.succeed("up");
    expect(stdout).toContain("kept on the server");
  });

  it("keeps its rows and the access of its applications", async () => {
    expect(await products(app)).toEqual([{ name: "tea" }, { name: "coffee" }]);
  });

  it("comes back with new passwords when it is declared again", async () => {
    await clone.configure({ ...shopSettings, databases: ["shop", "depot"] });
    await clone.succeed("up");
    expect(await products(await clone.login("app", "shop"))).toEqual([{ name: "tea" }, { name: "coffee" }]);
    await expect(products(app)).rejects.toThrow(/password/);
    expect(await changesOf(clone, "up")).toEqual([]);
  });
});
