import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { seeded } from "./cases/seeded.ts";

const statuses = ["draft", "open", "funded", "active", "matured", "closed", "cancelled"] as const;
type Status = (typeof statuses)[number];

const allowed: Record<Status, Status[]> = {
  draft: ["open", "cancelled"],
  open: ["funded", "active", "cancelled"],
  funded: ["active", "cancelled"],
  active: ["matured", "closed"],
  matured: ["closed"],
  closed: [],
  cancelled: [],
};
const pairs = statuses.flatMap((from) => statuses.filter((to) => to !== from).map((to) => ({ from, to })));

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("pend", ["reference", "dev"]);
});
afterAll(() => database?.stop());

describe("an asset", () => {
  it.each(pairs)("goes from $from to $to only if its life cycle allows it", async ({ from, to }) => {
    const { app } = database;
    const attempt = inTransaction(app, "rollback", async () => {
      const { rows } = await app.query(
        `insert into assets (code, name, kind, asset_class, risk_rating, expected_return_rate, unit_price, target_amount,
           minimum_investment, opens_at, status)
         values ('TEST', 'Test', 'pool', 'commodity', 'low', 0, 1, 100, 10, now(), $1) returning id`,
        [from],
      );
      await app.query("update assets set status = $1 where id = $2", [to, rows[0].id]);
    });
    if (allowed[from].includes(to)) await attempt;
    else expect(await refusal(attempt)).toMatchObject({ code: "23514", constraint: "assets_status_transition" });
  });

  it.each([
    ["raised_amount = 1", "assets_raised_follows_investments"],
    ["status = 'closed'", "assets_status_transition"],
    ["unit_price = 11", "assets_terms_stay"],
    [`contract_address = '0x${"9".repeat(40)}'`, "assets_contract_stays"],
  ])("refuses a change by hand: %s", async (change, constraint) => {
    const error = await refusal(database.app.query(`update assets set ${change} where id = $1`, [seeded.asset]));
    expect(error).toMatchObject({ code: "23514", constraint });
  });

  it("can change its price if it is a pool, and its investments keep theirs", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("update assets set unit_price = 2 where id = $1", [seeded.pool]);
      const { rows } = await app.query(
        "insert into investments (user_id, asset_id, amount) values ($1, $2, 100) returning unit_price, units",
        [seeded.bob, seeded.pool],
      );
      expect(rows).toEqual([{ unit_price: "2.000000", units: "50.00000000" }]);
      await app.query("update assets set unit_price = 3 where id = $1", [seeded.pool]);
      const { rows: kept } = await app.query(
        "select unit_price from investments where asset_id = $1 order by placed_at desc limit 1",
        [seeded.pool],
      );
      expect(kept).toEqual([{ unit_price: "2.000000" }]);
    });
  });
});
