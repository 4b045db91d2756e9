import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../../../scripts/connection/client.ts";
import { type Connection, clientConfig, inDatabase } from "../../../../../../scripts/connection/connection.ts";
import { findPostmaster } from "../../../../../../scripts/server/postmaster.ts";
import { chain } from "../../../../../unit/scripts/migrate/committed-folder.ts";
import type { Clone } from "../../../../clone.ts";
import { changesOf } from "../../../../infra/program/changes.ts";
import { revealedOutputs } from "../../../../infra/program/passwords.ts";
import { makeShop, shopSettings } from "../../../../infra/program/shop.ts";
import { ask } from "../../../../terminal.ts";

const both = { ...shopSettings, databases: ["shop", "depot"] };
const onlyDepot = { ...shopSettings, databases: ["depot"], seeds: [] };

describe("pgw destroy --erase of a database", () => {
  let clone: Clone;
  let admin: Connection;
  const rowsOf = (connection: Connection, sql: string) =>
    withClient(connection, async (client) => (await client.query(sql)).rows);
  const names = async () =>
    (
      await rowsOf(
        admin,
        "select datname from pg_database where datname <> 'postgres' and not datistemplate order by 1",
      )
    ).map(({ datname }) => datname);
  const rolesLike = async (pattern: string) =>
    (await rowsOf(admin, `select rolname from pg_roles where rolname like '${pattern}'`)).length;

  beforeAll(async () => {
    clone = await makeShop();
    await clone.write("migrations/depot/database.json", "{}");
    await clone.write("migrations/depot/committed/.gitkeep", "");
    await clone.configure(both);
    await clone.succeed("up");
    admin = inDatabase(await clone.login("superuser", "shop"), "postgres");
  });
  afterAll(() => clone?.remove());

  it("lists what is lost, and needs --yes without a terminal", async () => {
    const { code, stdout, stderr } = await clone.pgw("destroy", "--erase", "shop");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(
      new RegExp(
        [
          '^These databases of stack "local" will be deleted permanently:',
          "  database shop: [\\d.]+ MB, \\d+ tables with about \\d+ rows, last backup: none known",
          "    with its roles shop_owner, shop_migrator, shop_app, shop_readonly",
          "    The settings contain it: the next `up` creates it again, empty\\.",
          "error: Erasing shop needs a confirmation\\. Nothing was changed\\.",
          "  Add --yes\\.\n",
        ].join("\n"),
        "m",
      ),
    );
    expect(await names()).toEqual(["depot", "shop"]);
  });

  it("refuses if the database or its tables changed after the list was shown", async () => {
    const asking = await ask(clone, ["destroy", "--erase", "depot"], "Type depot to continue:");
    await rowsOf(inDatabase(admin, "depot"), "create table pallet (id integer)");
    const { code, output } = await asking.answer("depot");
    expect(code, output).toBe(3);
    expect(output).toMatch(
      /^ {2}new {3}database depot \(oid \d+\), \d+ tables\n {2}gone {2}database depot \(oid \d+\), \d+ tables\n/m,
    );
    const again = await ask(clone, ["destroy", "--erase", "depot"], "Type depot to continue:");
    await rowsOf(admin, "create database other template depot owner depot_owner");
    await rowsOf(admin, "alter database depot rename to depot_before");
    await rowsOf(admin, "alter database other rename to depot");
    const replaced = await again.answer("depot");
    expect(replaced.code, replaced.output).toBe(3);
    expect(await names()).toEqual(["depot", "depot_before", "shop"]);
    await rowsOf(admin, "drop database depot");
    await rowsOf(admin, "alter database depot_before rename to depot");
    await rowsOf(inDatabase(admin, "depot"), "drop table pallet");
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("refuses while up works on the stack, even for an unknown database, and checks again afterwards", async () => {
    const goOn = join(clone.root, "go-on");
    const wait = `touch ${goOn}.begun; while [ ! -e ${goOn} ]; do sleep 0.1; done`;
    await clone.write(
      "migrations/depot/.gmrc",
      JSON.stringify({ migrationsFolder: ".", beforeAllMigrations: [{ _: "command", command: wait }] }),
    );
    const [pallet] = chain([{ name: "pallet", body: "create table pallet (id integer);" }]);
    await clone.write(`migrations/depot/committed/${pallet?.filename}`, pallet?.text ?? "");
    await rowsOf(admin, "create database unknown");
    const asking = await ask(clone, ["destroy", "--erase", "depot"], "Type depot to continue:");
    const up = clone.pgw("up");
    await expect.poll(() => existsSync(`${goOn}.begun`), { timeout: 120_000, interval: 50 }).toBe(true);
    for (const name of ["depot", "unknown"]) {
      const { code, stderr } = await clone.pgw("destroy", "--erase", name, "--yes");
      expect(code, stderr).toBe(1);
      expect(stderr).toMatch(/^error: Another run works on stack "local": \S+@\S+ \(pid \d+\) since \S+\.\n/m);
    }
    expect(await names()).toEqual(["depot", "shop", "unknown"]);
    await writeFile(goOn, "");
    expect((await up).code).toBe(0);
    const { code, output } = await asking.answer("depot");
    expect(code, output).toBe(3);
    expect(output).toMatch(/^ {2}new {3}database depot \(oid \d+\), \d+ tables\n/m);
    expect(await names()).toEqual(["depot", "shop", "unknown"]);
    await clone.succeed("destroy", "--erase", "unknown", "--yes");
    expect(await names()).toEqual(["depot", "shop"]);
  });

  it("leaves the rest of the stack unchanged, and ends the database's sessions", async () => {
    const { server } = await revealedOutputs(clone);
    const before = await findPostmaster(server.dataDirectory);
    const depot = await clone.login("app", "depot");
    const guest = new pg.Client(clientConfig(await clone.login("app", "shop")));
    guest.on("error", () => undefined);
    await guest.connect();
    const ended = new Promise<void>((resolve) => guest.once("end", resolve));

    const { stdout, stderr } = await clone.succeed("destroy", "--erase", "shop", "--yes");
    expect(stdout).toBe(
      'shop erased; the rest of stack "local" is unchanged\n`npm run up` creates shop again, empty.\n',
    );
    expect(stderr).toContain("    1 open connection to it will be closed\n");
    await ended;
    expect(await names()).toEqual(["depot"]);
    expect(await rolesLike("shop%")).toBe(0);
    expect(await rolesLike("depot%")).toBe(4);
    expect(await findPostmaster(server.dataDirectory)).toEqual(before);
    expect(await rowsOf(depot, "select current_user")).toEqual([{ current_user: "depot_app" }]);
    expect(Object.keys((await revealedOutputs(clone)).databases)).toEqual(["depot"]);
    expect((await clone.pgw("url", "--database", "shop")).stderr).toBe(
      'error: Stack "local" has no database "shop". It has: depot.\n',
    );
  });

  it("resets a database that is in the settings: the next up creates it again", async () => {
    const preview = await changesOf(clone, "preview");
    expect(preview).toContain("create shop-database");
    expect(preview.filter((change) => !/ shop-/.test(change))).toEqual([]);
    await clone.succeed("up");
    const shop = await clone.login("readonly", "shop");
    expect(await rowsOf(shop, "select name from product order by id")).toEqual([{ name: "tea" }, { name: "coffee" }]);
    expect(await changesOf(clone, "refresh")).toEqual([]);
  });

  it("erases a database that is no longer in the settings, and it does not come back", async () => {
    await clone.configure(onlyDepot);
    await clone.succeed("up");
    const { stdout } = await clone.succeed("destroy", "--erase", "database:shop", "--yes", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      stack: "local",
      erased: [{ name: "shop", declared: false, loss: { name: "shop", sessions: 0 } }],
      left: { roles: [] },
    });
    expect(await names()).toEqual(["depot"]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("completes after a run that was killed after the database had left the state", async () => {
    await clone.configure(both);
    await clone.succeed("up");
    await clone.configure(onlyDepot);
    await clone.succeed("up");
    await withClient(admin, (client) => client.query("drop database shop"));
    const { stderr } = await clone.succeed("destroy", "--erase", "shop", "--yes");
    expect(stderr).toContain("  database shop: no longer on the server\n");
    expect(await rolesLike("shop%")).toBe(0);
  });

  it("repairs a state with a database that was dropped by hand", async () => {
    await clone.configure(both);
    await clone.succeed("up");
    await withClient(admin, (client) => client.query("drop database shop with (force)"));
    await clone.succeed("destroy", "--erase", "shop", "--yes");
    await clone.succeed("up");
    expect(await names()).toEqual(["depot", "shop"]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("refuses an unknown name and the server's own databases as wrong usage", async () => {
    for (const name of ["shpo", "postgres", "template1"]) {
      const { code, stderr } = await clone.pgw("destroy", "--erase", "shop", "--erase", name, "--yes");
      expect(code).toBe(2);
      expect(stderr).toContain(`error: Stack "local" has no database "${name}". It has: depot, shop.\n`);
    }
    expect(await names()).toEqual(["depot", "shop"]);
  });

  it("needs a running server", async () => {
    await clone.succeed("down");
    const { code, stderr } = await clone.pgw("destroy", "--erase", "shop", "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain(
      'error: A database of stack "local" can be dropped only while its server is reachable: the server is not running.\n  Run `npm run up`, then this command again.\n',
    );
  });
});
