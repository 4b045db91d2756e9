import { describe, expect, it } from "vitest";
import type { Made } from "./plugin-process.ts";
import { sql } from "./sql.ts";
import { useTradeDatabase } from "./trade-database.ts";

const trade = useTradeDatabase();
const { asOwner, may, expectSettled } = trade;

const within = { database: "trade" };

describe("default privileges", () => {
  it("apply to objects that the owner creates later, in one schema or in all", async () => {
    await asOwner("create schema soon", "create schema elsewhere");
    const of = { ...within, owner: "trade_owner", role: "app" };
    const made = [
      await trade.plugin.create("DefaultPrivileges", "tables", {
        ...of,
        schema: "soon",
        objectType: "table",
        privileges: ["SELECT"],
      }),
      await trade.plugin.create("DefaultPrivileges", "sequences", {
        ...of,
        objectType: "sequence",
        privileges: ["ALL"],
      }),
      await trade.plugin.create("DefaultPrivileges", "schemas", { ...of, objectType: "schema", privileges: ["USAGE"] }),
      await trade.plugin.create("DefaultPrivileges", "types", { ...of, objectType: "type", privileges: ["USAGE"] }),
    ];
    expect(made[1]?.id).toBe("app_trade_noschema_trade_owner_sequence");
    for (const defaults of made) await expectSettled(defaults);
    await asOwner("create table soon.t (a serial)", "create table elsewhere.t (a serial)", "create schema later");
    expect(await may("app", "table", "soon.t", "SELECT")).toBe(true);
    expect(await may("app", "table", "soon.t", "INSERT")).toBe(false);
    expect(await may("app", "table", "elsewhere.t", "SELECT")).toBe(false);
    expect(await may("app", "sequence", "elsewhere.t_a_seq", "USAGE")).toBe(true);
    expect(await may("app", "schema", "later", "USAGE")).toBe(true);
    for (const defaults of made) await trade.plugin.delete(defaults);
    expect(await sql(trade.server.connection("trade"), "select * from pg_default_acl")).toEqual([]);
  });

  it("keep PUBLIC from executing later functions if they are empty", async () => {
    const news = { ...within, owner: "trade_owner", role: "public", objectType: "function", privileges: [] };
    const made = await trade.plugin.create("DefaultPrivileges", "functions", news);
    await expectSettled(made);
    await asOwner(
      "create schema quiet",
      "grant usage on schema quiet to reader",
      "create function quiet.f() returns int language sql return 1",
    );
    expect(await may("reader", "function", "quiet.f()", "EXECUTE")).toBe(false);
    await asOwner("alter default privileges grant execute on functions to public");
    const refreshed = (await trade.plugin.read(made)) as Made;
    expect(refreshed.outputs.privileges).toEqual(["EXECUTE"]);
    await expectSettled(await trade.plugin.update(refreshed, news));
  });

  it("are corrected after a change by hand, and created again after a removal", async () => {
    await asOwner("create schema moved");
    const news = {
      ...within,
      owner: "trade_owner",
      role: "reader",
      schema: "moved",
      objectType: "table",
      privileges: ["SELECT"],
    };
    const made = await trade.plugin.create("DefaultPrivileges", "moved", news);
    await asOwner("alter default privileges in schema moved grant insert on tables to reader");
    const refreshed = (await trade.plugin.read(made)) as Made;
    expect(refreshed.outputs.privileges).toEqual(["INSERT", "SELECT"]);
    await expectSettled(await trade.plugin.update(refreshed, news));
    await asOwner("alter default privileges in schema moved revoke all on tables from reader");
    expect(await trade.plugin.read(made)).toBeUndefined();
    await expectSettled(await trade.plugin.create("DefaultPrivileges", "moved", news));
  });
});
