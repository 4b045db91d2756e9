import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/target/client.ts";
import { inDatabase } from "../../../../scripts/target/connection.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { makeShop, shopSettings } from "./shop.ts";

describe("what was changed by hand", () => {
  let clone: Clone;

  const byHand = (sql: string) => clone.query("superuser", sql);
  /** Refresh shows it, preview says what up will do, up mends it, and then there is nothing more. */
  const expectMended = async (...changes: string[]) => {
    expect(await changesOf(clone, "refresh")).toEqual(changes);
    expect(await changesOf(clone, "preview")).toEqual(changes);
    expect(await changesOf(clone, "up")).toEqual(changes);
    expect(await changesOf(clone, "refresh")).toEqual([]);
  };
  /** The same for what is either there or not. */
  const expectMadeAgain = async (resource: string) => {
    expect(await changesOf(clone, "refresh")).toEqual([`delete ${resource}`]);
    expect(await changesOf(clone, "preview")).toEqual([`create ${resource}`]);
    expect(await changesOf(clone, "up")).toEqual([`create ${resource}`]);
    expect(await changesOf(clone, "refresh")).toEqual([]);
  };

  beforeAll(async () => {
    clone = await makeShop();
    await clone.succeed("up");
  });
  afterAll(() => clone?.remove());

  it("in a role: it logs in again after up", async () => {
    await byHand("alter role shop_app nologin");
    await expect(clone.query("app", "select 1")).rejects.toThrow(/does not let user "shop_app" in/);
    await expectMended("update shop-app: login");
    expect(await clone.query("app", "select current_user as me")).toEqual([{ me: "shop_app" }]);
  });

  it("in a grant: the role connects again after up", async () => {
    await byHand("revoke connect on database shop from shop_readonly");
    await expect(clone.query("readonly", "select 1")).rejects.toThrow(/may not connect|permission denied for database/);
    await expectMended("update shop-grant-database-shop_readonly: privileges");
    expect(await clone.query("readonly", "select current_user as me")).toEqual([{ me: "shop_readonly" }]);
  });

  it("in a default privilege: what is made after up is open to the role", async () => {
    await byHand(
      "alter default privileges for role shop_owner in schema public revoke select on tables from shop_readonly",
    );
    await expectMadeAgain("shop-default-table-shop_readonly");
    await clone.query("migrator", "create table later (id integer)");
    expect(await clone.query("readonly", "select count(*)::int as rows from later")).toEqual([{ rows: 0 }]);
  });

  it("in a grant that nobody declared: what PUBLIC was given is taken again", async () => {
    await byHand("grant connect on database shop to public");
    await expectMended("update shop-grant-database-public: privileges");
  });

  it("in what PUBLIC is given unasked, and in the schema's owner: new tables are closed again, and can be made", async () => {
    await byHand(
      "alter default privileges for role shop_owner grant all on tables to public; " +
        "alter default privileges for role shop_owner in schema public grant all on tables to public; " +
        // As a database that was dumped before PostgreSQL 15 has it.
        "alter schema public owner to postgres; revoke all on schema public from shop_owner",
    );
    await expectMended(
      "update shop-grant-schema-shop_owner: privileges",
      "update shop-default-table-public: privileges",
      "update shop-default-table-public-in-schema: privileges",
    );
    await clone.query("migrator", "create table closed (id integer)");
    const denied = clone.query("readonly", "truncate closed");
    await expect(denied).rejects.toThrow("permission denied for table closed");
  });

  it("in an extension: it is there again after up", async () => {
    await byHand("drop extension citext");
    await expectMadeAgain("shop-extension-citext");
    expect(await byHand("select extname from pg_extension where extname = 'citext'")).toEqual([{ extname: "citext" }]);
  });

  it("in a password: the login of `pgw url` works again after up", async () => {
    const login = await clone.login("app");
    await byHand("alter role shop_app password 'set-by-hand'");
    await expect(withClient(login, async () => undefined)).rejects.toThrow(/password authentication failed/);
    await expectMended("update shop-app: password");
    await withClient(login, async () => undefined);
  });

  it("in the superuser's password: up and refresh say how it is set anew, and it is", async () => {
    await byHand("alter role postgres password 'set-by-hand'");
    for (const command of ["preview", "up", "refresh"]) {
      const { stderr } = await clone.pgw(command);
      expect(stderr.split("Set pgroundwork:passwordVersion of this stack to another value")).toHaveLength(2);
    }
    await clone.configure({ ...shopSettings, passwordVersion: "2" });
    await clone.succeed("up");
    expect(await clone.query("superuser", "select current_user as me")).toEqual([{ me: "postgres" }]);
    expect(await clone.query("app", "select current_user as me")).toEqual([{ me: "shop_app" }]);
  });

  it("in what is there at all: preview and up say what was dropped, and after a refresh it is there again", async () => {
    const superuser = inDatabase(await clone.login("superuser", "shop"), "postgres");
    await withClient(superuser, async (client) => {
      await client.query("drop database shop with (force)");
      await client.query("drop role shop_readonly");
    });
    const gone = (what: string) =>
      `The server has no ${what} any more, which this stack made: dropped by hand? \`npm run pgw -- refresh\` takes note`;
    const preview = await clone.succeed("preview");
    expect(preview.stderr).toContain(gone('role "shop_readonly"'));
    expect(preview.stderr).toContain(gone('database "shop"'));
    const up = await clone.pgw("up");
    expect([up.code, up.stderr]).toEqual([1, expect.stringContaining(gone('role "shop_readonly", database "shop"'))]);
    await clone.succeed("refresh");
    const again = await clone.succeed("preview");
    expect(again.stderr).not.toContain("any more");
    await clone.succeed("up");
    expect(await clone.query("readonly", "select name from product order by id")).toEqual([
      { name: "tea" },
      { name: "coffee" },
    ]);
    expect(await changesOf(clone, "refresh")).toEqual([]);
  });
});
