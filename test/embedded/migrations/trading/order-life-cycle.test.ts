import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";

const statuses = [
  "pending_new",
  "new",
  "partially_filled",
  "filled",
  "pending_cancel",
  "cancelled",
  "rejected",
  "expired",
] as const;
type Status = (typeof statuses)[number];

const allowed: Record<Status, Status[]> = {
  pending_new: ["new", "rejected", "cancelled", "expired"],
  new: ["partially_filled", "filled", "pending_cancel", "cancelled", "rejected", "expired"],
  partially_filled: ["filled", "pending_cancel", "cancelled", "expired"],
  pending_cancel: ["new", "partially_filled", "filled", "cancelled", "expired"],
  filled: [],
  cancelled: [],
  rejected: [],
  expired: [],
};
const pairs = statuses.flatMap((from) => statuses.filter((to) => to !== from).map((to) => ({ from, to })));

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("trading", ["reference", "dev"]);
});
afterAll(() => database?.stop());

/** Further columns that a row of each status needs. */
const consistent: Record<Status, string> = {
  pending_new: "filled_quantity = 0, average_fill_price = null",
  new: "filled_quantity = 0, average_fill_price = null",
  partially_filled: "filled_quantity = 4, average_fill_price = 1.08",
  filled: "filled_quantity = 10, average_fill_price = 1.08, filled_at = now()",
  pending_cancel: "filled_quantity = 4, average_fill_price = 1.08",
  cancelled: "cancelled_at = now()",
  rejected: "filled_quantity = 0, average_fill_price = null, reject_reason = 'test'",
  expired: "filled_quantity = 0, average_fill_price = null",
};

async function place(client: Client, status: Status = "new"): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into orders (account_id, instrument_id, client_order_id, side, order_type, limit_price, quantity, accepted_at)
     select account_id, instrument_id, 'life-cycle', 'buy', 'limit', 1.08, 10, now() from orders where client_order_id = 'dev-0003' returning id`,
  );
  const id = rows[0]?.id ?? "";
  if (status !== "pending_new") {
    // Sets the status directly, without the guard under test.
    await client.query("set local session_replication_role = replica");
    await client.query(`update orders set status = $1, ${consistent[status]} where id = $2`, [status, id]);
    await client.query("set local session_replication_role = origin");
  }
  return id;
}

const fill = `insert into order_fills (order_id, venue, execution_id, quantity, price) values ($1, 'TEST', $2, $3, $4)`;
const state =
  "select status, filled_quantity, remaining_quantity, average_fill_price, filled_at is not null as done from orders where id = $1";

describe("an order", () => {
  it.each(pairs)("goes from $from to $to only if its life cycle allows it", async ({ from, to }) => {
    const { superuser } = database;
    await inTransaction(superuser, "rollback", async () => {
      const id = await place(superuser, from);
      const step = superuser.query(`update orders set status = $1, ${consistent[to]} where id = $2`, [to, id]);
      if (allowed[from].includes(to)) {
        expect((await step).rowCount).toBe(1);
      } else {
        expect((await refusal(step)).message).toBe(`order ${id}: status cannot go from ${from} to ${to}`);
      }
    });
  });

  it("follows its fills, with the weighted average of their prices", async () => {
    const { superuser } = database;
    await inTransaction(superuser, "rollback", async () => {
      const id = await place(superuser);
      await superuser.query(fill, [id, "1", 4, "1.07"]);
      expect((await superuser.query(state, [id])).rows[0]).toEqual({
        status: "partially_filled",
        filled_quantity: "4.00000000",
        remaining_quantity: "6.00000000",
        average_fill_price: "1.0700000000",
        done: false,
      });
      await superuser.query(fill, [id, "2", 6, "1.08"]);
      expect((await superuser.query(state, [id])).rows[0]).toEqual({
        status: "filled",
        filled_quantity: "10.00000000",
        remaining_quantity: "0.00000000",
        average_fill_price: "1.0760000000",
        done: true,
      });
      await superuser.query("set constraints all immediate");
    });
  });

  it("can be filled in part while it waits for its cancellation", async () => {
    const { superuser } = database;
    await inTransaction(superuser, "rollback", async () => {
      const id = await place(superuser);
      await superuser.query("update orders set status = 'pending_cancel' where id = $1", [id]);
      await superuser.query(fill, [id, "1", 4, "1.07"]);
      expect((await superuser.query(state, [id])).rows[0]).toMatchObject({
        status: "pending_cancel",
        filled_quantity: "4.00000000",
      });
    });
  });

  it("accepts no fill beyond its quantity", async () => {
    const { superuser } = database;
    const attempt = inTransaction(superuser, "rollback", async () =>
      superuser.query(fill, [await place(superuser), "1", "10.00000001", 1]),
    );
    expect(await refusal(attempt)).toMatchObject({ code: "23514", constraint: "orders_filled_quantity_range" });
  });

  it("accepts no fill before it is accepted or after it has ended", async () => {
    const { superuser } = database;
    for (const status of ["pending_new", "cancelled", "rejected", "expired", "filled"] as const) {
      const attempt = inTransaction(superuser, "rollback", async () =>
        superuser.query(fill, [await place(superuser, status), "1", 1, 1]),
      );
      expect((await refusal(attempt)).message).toMatch(new RegExp(`^order \\S+ is ${status} and takes no fill$`));
    }
  });

  it("accepts a venue's report once", async () => {
    const { superuser } = database;
    await inTransaction(superuser, "rollback", async () => {
      const id = await place(superuser);
      for (let times = 0; times < 2; times++) await superuser.query(`${fill} on conflict do nothing`, [id, "1", 4, 1]);
      expect((await superuser.query(state, [id])).rows[0]).toMatchObject({ filled_quantity: "4.00000000" });
    });
  });

  it("cannot claim fills that no venue reported", async () => {
    const { app } = database;
    const attempt = inTransaction(app, "commit", () =>
      app.query(
        "update orders set status = 'partially_filled', filled_quantity = 0.1, average_fill_price = 1 where client_order_id = 'dev-0003'",
      ),
    );
    expect(await refusal(attempt)).toMatchObject({ code: "23514", constraint: "orders_filled_quantity_matches_fills" });
  });

  it("keeps its identity, and keeps its terms after it has ended", async () => {
    const { app } = database;
    const sides = app.query("update orders set side = 'buy' where client_order_id = 'dev-0003'");
    expect(await refusal(sides)).toMatchObject({ constraint: "orders_identity_stays" });
    const terms = app.query("update orders set limit_price = 1 where client_order_id = 'dev-0010'");
    expect(await refusal(terms)).toMatchObject({ constraint: "orders_final_stays" });
    const working = await inTransaction(app, "rollback", () =>
      app.query("update orders set limit_price = 1.28 where client_order_id = 'dev-0003'"),
    );
    expect(working.rowCount).toBe(1);
  });
});
