import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";

const account = "30000000-0000-4000-8000-000000000001";
const completed = "31000000-0000-4000-8000-000000000001";
const pending = "31000000-0000-4000-8000-000000000006";
const statuses = ["pending", "processing", "completed", "failed", "cancelled"] as const;
type Status = (typeof statuses)[number];

const allowed: Record<Status, Status[]> = {
  pending: ["processing", "completed", "failed", "cancelled"],
  processing: ["completed", "failed", "cancelled"],
  completed: [],
  failed: [],
  cancelled: [],
};
const pairs = statuses.flatMap((from) => statuses.filter((to) => to !== from).map((to) => ({ from, to })));

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("trading", ["reference", "dev"]);
});
afterAll(() => database?.stop());

describe("a payment", () => {
  it.each(pairs)("goes from $from to $to only if its life cycle allows it", async ({ from, to }) => {
    const { app } = database;
    const attempt = inTransaction(app, "rollback", async () => {
      const { rows } = await app.query(
        `insert into payments (account_id, currency, direction, method, amount, idempotency_key, requested_by, status, completed_at, failure_reason)
         select id, 'USD', 'deposit', 'card', 10, 'life cycle', user_id, $1, case when $1 = 'completed' then now() end,
           case when $1 = 'failed' then 'test' end from accounts where id = $2 returning id`,
        [from, account],
      );
      await app.query(
        `update payments set status = $1, completed_at = case when $1 = 'completed' then now() end,
           failure_reason = case when $1 = 'failed' then 'test' end where id = $2`,
        [to, rows[0].id],
      );
    });
    if (allowed[from].includes(to)) await attempt;
    else expect(await refusal(attempt)).toMatchObject({ code: "23514", constraint: "payments_status_transition" });
  });

  it.each([
    "amount = amount + 1",
    "currency = 'JPY'",
    "direction = 'deposit'",
    "method = 'card'",
    "idempotency_key = 'another'",
    "account_id = '30000000-0000-4000-8000-000000000002'",
    "requested_by = '20000000-0000-4000-8000-000000000004'",
  ])("refuses a change of its terms: %s", async (change) => {
    const error = await refusal(database.app.query(`update payments set ${change} where id = $1`, [pending]));
    expect(error).toMatchObject({ code: "23514", constraint: "payments_terms_stay" });
    expect(error.hint).toBe("Cancel the payment and request another.");
  });

  it("keeps its result after it has ended, but accepts notes", async () => {
    const { app } = database;
    const error = await refusal(app.query("update payments set fee = 1 where id = $1", [completed]));
    expect(error.message).toBe(`payment ${completed} is completed and no longer changes`);
    await inTransaction(app, "rollback", async () => {
      const noted = await app.query("update payments set metadata = $2 where id = $1", [completed, { note: "seen" }]);
      expect(noted.rowCount).toBe(1);
    });
  });

  it("accepts a fee and an approval while it is pending", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const { rowCount } = await app.query(
        `update payments set fee = 1, status = 'completed', completed_at = now(),
           approved_by = '20000000-0000-4000-8000-000000000001', approved_at = now() where id = $1`,
        [pending],
      );
      expect(rowCount).toBe(1);
    });
  });
});
