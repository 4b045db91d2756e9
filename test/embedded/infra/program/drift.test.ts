import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/target/client.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { makeShop } from "./shop.ts";

describe("what was changed by hand", () => {
  let clone: Clone;

  const byHand = (sql: string) => clone.query("superuser", sql);
  /** Refresh shows it, preview says what up will do, up mends it, and then there is nothing more. */
  const expectMended = async (change: string) => {
    expect(await changesOf(clone, "refresh")).toEqual([change]);
    expect(await changesOf(clone, "preview")).toEqual([change]);
    expect(await changesOf(clone, "up")).toEqual([change]);
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
});
