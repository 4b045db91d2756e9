import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { missingId } from "../table-cases.ts";
import { seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("pend", ["reference", "dev"]);
  // The limit of Carol's tier; she has invested 6,200.
  await database.migrator.query("update user_tiers set max_total_invested = 8000 where code = 'verified'");
});
afterAll(() => database?.stop());

const place = (user: string, asset: string, amount: number | string) =>
  database.app.query<{ id: string; units: string; unit_price: string; expected_return_rate: string; fee: string }>(
    "insert into investments (user_id, asset_id, amount) values ($1, $2, $3) returning *",
    [user, asset, amount],
  );

async function raised(asset: string) {
  const { rows } = await database.app.query<{ amount: string }>(
    "select raised_amount as amount from assets where id = $1",
    [asset],
  );
  return Number(rows[0]?.amount);
}

describe("an investment", () => {
  it("takes the terms of asset and tier, and changes the raised amount to the millionth", async () => {
    await inTransaction(database.app, "rollback", async () => {
      const before = await raised(seeded.asset);
      const { rows } = await place(seeded.alice, seeded.asset, "100.000001");
      expect(rows[0]).toMatchObject({
        units: "10.00000010",
        fee: "0.750000",
        unit_price: "10.000000",
        expected_return_rate: "0.085000",
      });
      expect(await raised(seeded.asset)).toBeCloseTo(before + 100.000001, 6);
      await database.app.query(
        "update investments set status = 'cancelled', ended_at = now(), cancel_reason = 'Test' where id = $1",
        [rows[0]?.id],
      );
      expect(await raised(seeded.asset)).toBe(before);
    });
  });

  it.each([
    ["of a suspended user", seeded.eve, seeded.asset, 100, "SOLAR-SET: the user is suspended"],
    [
      "of an unknown user",
      seeded.dave,
      seeded.asset,
      100,
      "SOLAR-SET: the user's KYC level is 0 and the asset needs 1",
    ],
    ["in a draft", seeded.alice, seeded.draftAsset, 75, "GOLD-ZUR: the asset is draft"],
    ["below the minimum", seeded.alice, seeded.asset, 99, "SOLAR-SET: 99.000000 is less than the least of 100.000000"],
    [
      "above the asset's maximum",
      seeded.alice,
      seeded.asset,
      25_001,
      "SOLAR-SET: 25001.000000 is more than the most of 25000.000000",
    ],
    [
      "above the tier's maximum",
      seeded.carol,
      seeded.asset,
      2501,
      "SOLAR-SET: 2501.000000 is more than the most of 2500.000000",
    ],
    [
      "above the tier's total",
      seeded.carol,
      seeded.asset,
      2500,
      "SOLAR-SET: the user would have more than 8000.000000 invested",
    ],
  ])("is refused if it is %s", async (_, user, asset, amount, message) => {
    expect(await refusal(place(user, asset, amount))).toMatchObject({
      message: `investment in ${message}`,
      constraint: "investments_allowed",
    });
  });

  it("is refused for a higher tier, before the asset opens, after it closed, or above what is left", async () => {
    const { migrator } = database;
    const refused = (change: string, user: string, amount: number) =>
      inTransaction(migrator, "rollback", async () => {
        await migrator.query(`update assets set ${change} where id = $1`, [seeded.asset]);
        const error = await refusal(
          migrator.query("insert into investments (user_id, asset_id, amount) values ($1, $2, $3)", [
            user,
            seeded.asset,
            amount,
          ]),
        );
        return error.message.replace(/\d{4}-\d\d-\d\d \S+/, "<time>");
      });
    expect(await refused("required_tier = 'premium'", seeded.bob, 100)).toBe(
      "investment in SOLAR-SET: the user's tier is plus and the asset needs premium",
    );
    // The tier plus has access twelve hours early.
    expect(await refused("opens_at = now() + interval '13 hours'", seeded.bob, 100)).toBe(
      "investment in SOLAR-SET: the asset opens at <time>",
    );
    expect(
      await refused("opens_at = now() + interval '11 hours', target_amount = raised_amount", seeded.bob, 100),
    ).toBe("investment in SOLAR-SET: 100.000000 is more than the 0.000000 that are left");
    expect(await refused("closes_at = now()", seeded.bob, 100)).toBe(
      "investment in SOLAR-SET: the asset closed at <time>",
    );
  });

  it("is refused without an existing user or asset", async () => {
    expect(await refusal(place(missingId, seeded.asset, 100))).toMatchObject({
      code: "23503",
      constraint: "investments_user_id_fkey",
    });
    expect(await refusal(place(seeded.alice, missingId, 100))).toMatchObject({
      code: "23503",
      constraint: "investments_asset_id_fkey",
    });
  });

  it("becomes active once it is agreed to and paid", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const { rows } = await place(seeded.bob, seeded.asset, 200);
      const id = rows[0]?.id;
      const activate = "update investments set status = 'active', activated_at = now() where id = $1";
      const refused = async () => {
        await app.query("savepoint before");
        const error = await refusal(app.query(activate, [id]));
        await app.query("rollback to before");
        return error.constraint;
      };
      expect(await refused()).toBe("investments_active_is_agreed");
      await app.query(
        `insert into investment_agreements (user_id, investment_id, agreement_type, version, document_sha256, ip)
         values ($1, $2, 'subscription', '2030-01', repeat('1', 64), '192.0.2.1')`,
        [seeded.bob, id],
      );
      const pay = (amount: number) =>
        app.query(
          `insert into transactions (user_id, investment_id, transaction_type, status, method, amount, idempotency_key, completed_at)
           values ($1, $2, 'investment', 'completed', 'wallet', $3, 'test ' || $3::numeric, now())`,
          [seeded.bob, id, amount],
        );
      await pay(150);
      expect(await refused()).toBe("investments_active_is_paid");
      await pay(50);
      expect((await app.query(activate, [id])).rowCount).toBe(1);
    });
  });

  it.each([
    ["amount = amount + 10, units = units + 1", "investments_terms_stay"],
    [`asset_id = '${seeded.pool}'`, "investments_terms_stay"],
    ["status = 'pending', activated_at = null", "investments_status_transition"],
    [
      "status = 'cancelled', activated_at = null, ended_at = now(), cancel_reason = 'Test'",
      "investments_status_transition",
    ],
  ])("refuses a later change: %s", async (change, constraint) => {
    const error = await refusal(
      database.app.query(`update investments set ${change} where id = $1`, [seeded.investment]),
    );
    expect(error).toMatchObject({ code: "23514", constraint });
  });

  it("never exceeds the tier's total, however many are placed at once", async () => {
    const { server, connect } = database;
    const rivals = await Promise.all([1, 2, 3, 4].map(() => connect(server.as("app", "pend"))));
    const placed = await Promise.allSettled(
      rivals.map((rival, index) =>
        rival.query("insert into investments (user_id, asset_id, amount) values ($1, $2, 900)", [
          seeded.carol,
          index % 2 === 0 ? seeded.asset : seeded.activePool,
        ]),
      ),
    );
    expect(placed.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
  });

  it("never exceeds what is left, however many are placed at once", async () => {
    const { migrator, server, connect } = database;
    const before = await raised(seeded.asset);
    await migrator.query("update assets set target_amount = $1 where id = $2", [before + 1000, seeded.asset]);
    const rivals = await Promise.all([1, 2, 3, 4].map(() => connect(server.as("app", "pend"))));
    const placed = await Promise.allSettled(
      rivals.map((rival) =>
        rival.query("insert into investments (user_id, asset_id, amount) values ($1, $2, 400)", [
          seeded.alice,
          seeded.asset,
        ]),
      ),
    );
    expect(placed.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    expect(await raised(seeded.asset)).toBe(before + 800);
    const { rows } = await migrator.query("select * from integrity_findings()");
    expect(rows).toEqual([]);
  });
});
