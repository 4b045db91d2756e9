import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPostmaster } from "../../../../../scripts/server/postmaster.ts";
import { withClient } from "../../../../../scripts/target/client.ts";
import { type Connection, clientConfig, inDatabase } from "../../../../../scripts/target/connection.ts";
import type { Clone } from "../../../clone.ts";
import { changesOf } from "../../../infra/program/changes.ts";
import { revealedOutputs } from "../../../infra/program/passwords.ts";
import { makeShop, shopSettings } from "../../../infra/program/shop.ts";

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

  it("says what would be lost, and without a terminal does it only with --yes", async () => {
    const { code, stdout, stderr } = await clone.pgw("destroy", "--erase", "shop");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(
      new RegExp(
        [
          '^Lost for good, of stack "local":',
          "  database shop: [\\d.]+ MB, \\d+ tables with about \\d+ rows, last backup: none known",
          "    with its roles shop_owner, shop_migrator, shop_app, shop_readonly",
          "    It is in the settings: the next `up` makes it anew, empty\\.",
          "error: Erasing shop needs a confirmation: nothing was changed\\.",
          "  Add --yes\\.\n",
        ].join("\n"),
        "m",
      ),
    );
    expect(await names()).toEqual(["depot", "shop"]);
  });

  it("leaves the rest of the stack as it was, and ends who is connected", async () => {
    const { server } = await revealedOutputs(clone);
    const before = await findPostmaster(server.dataDirectory);
    const depot = await clone.login("app", "depot");
    const guest = new pg.Client(clientConfig(await clone.login("app", "shop")));
    guest.on("error", () => undefined);
    await guest.connect();
    const ended = new Promise<void>((resolve) => guest.once("end", resolve));

    const { stdout, stderr } = await clone.succeed("destroy", "--erase", "shop", "--yes");
    expect(stdout).toBe('shop erased; the rest of stack "local" is as it was\n`npm run up` makes shop anew, empty.\n');
    expect(stderr).toContain("    1 open connection to it: ended\n");
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

  it("is a reset where the settings have it: the next up makes it anew", async () => {
    const preview = await changesOf(clone, "preview");
    expect(preview).toContain("create shop-database");
    expect(preview.filter((change) => !/ shop-/.test(change))).toEqual([]);
    await clone.succeed("up");
    const shop = await clone.login("readonly", "shop");
    expect(await rowsOf(shop, "select name from product order by id")).toEqual([{ name: "tea" }, { name: "coffee" }]);
    expect(await changesOf(clone, "up")).toEqual([]);
    expect(await changesOf(clone, "refresh")).toEqual([]);
  });

  it("erases one that the settings have no more, and it does not come back", async () => {
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

  it("is complete after a run that was killed once the state had forgotten the database", async () => {
    await clone.configure(both);
    await clone.succeed("up");
    await clone.configure(onlyDepot);
    await clone.succeed("up");
    await withClient(admin, (client) => client.query("drop database shop"));
    const { stderr } = await clone.succeed("destroy", "--erase", "shop", "--yes");
    expect(stderr).toContain("  database shop: not on the server any more\n");
    expect(await rolesLike("shop%")).toBe(0);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("mends a state that has a database which somebody dropped by hand", async () => {
    await clone.configure(both);
    await clone.succeed("up");
    await withClient(admin, (client) => client.query("drop database shop with (force)"));
    await clone.succeed("destroy", "--erase", "shop", "--yes");
    await clone.succeed("up");
    expect(await names()).toEqual(["depot", "shop"]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("is wrong usage for a name that is nothing of the stack's, and for the server's own database", async () => {
    for (const name of ["shpo", "postgres", "template1"]) {
      const { code, stderr } = await clone.pgw("destroy", "--erase", "shop", "--erase", name, "--yes");
      expect(code).toBe(2);
      expect(stderr).toContain(`error: Stack "local" has no database "${name}". It has: depot, shop.\n`);
    }
    expect(await names()).toEqual(["depot", "shop"]);
  });

  it("needs the server to run", async () => {
    await clone.succeed("down");
    const { code, stderr } = await clone.pgw("destroy", "--erase", "shop", "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain(
      'error: A database of stack "local" can be dropped by its server alone: the server does not run.\n  Run `npm run up`, then again. Or erase everything of the stack: --erase local.\n',
    );
  });
});
