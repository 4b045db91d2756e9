import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { seeded } from "./cases/seeded.ts";

const statuses = ["pending", "processing", "completed", "failed", "cancelled"] as const;
type Status = (typeof statuses)[number];

const allowed: Record<Status, Status[]> = {
  pending: ["processing", "completed", "failed", "cancelled"],
  processing: ["completed", "failed"],
  completed: [],
  failed: [],
  cancelled: [],
};
const pairs = statuses.flatMap((from) => statuses.filter((to) => to !== from).map((to) => ({ from, to })));

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("pend", ["reference", "dev"]);
});
afterAll(() => database?.stop());

describe("a transaction", () => {
  it.each(pairs)("goes from $from to $to only if its life cycle allows it", async ({ from, to }) => {
    const { app } = database;
    const attempt = inTransaction(app, "rollback", async () => {
      const { rows } = await app.query(
        `insert into transactions (user_id, transaction_type, method, amount, idempotency_key, status, completed_at, failure_reason)
         values ($1, 'deposit', 'card', 10, 'life cycle', $2, case when $2 = 'completed' then now() end,
           case when $2 = 'failed' then 'test' end) returning id`,
        [seeded.alice, from],
      );
      await app.query(
        `update transactions set status = $1, completed_at = case when $1 = 'completed' then now() end,
           failure_reason = case when $1 = 'failed' then 'test' end where id = $2`,
        [to, rows[0].id],
      );
    });
    if (allowed[from].includes(to)) await attempt;
    else expect(await refusal(attempt)).toMatchObject({ code: "23514", constraint: "transactions_status_transition" });
  });

  it.each([
    "amount = amount + 1",
    "transaction_type = 'fee'",
    "method = 'wallet'",
    "idempotency_key = 'another'",
    `user_id = '${seeded.alice}'`,
  ])("refuses a change of its terms: %s", async (change) => {
    const error = await refusal(
      database.app.query(`update transactions set ${change} where id = $1`, [seeded.pendingWithdrawal]),
    );
    expect(error).toMatchObject({ code: "23514", constraint: "transactions_terms_stay" });
  });

  it("keeps its result after it has ended, but accepts descriptions", async () => {
    const { app } = database;
    const error = await refusal(app.query("update transactions set fee = 1 where id = $1", [seeded.deposit]));
    expect(error.message).toBe(`transaction ${seeded.deposit} is completed and no longer changes`);
    await inTransaction(app, "rollback", async () => {
      const written = await app.query("update transactions set description = 'Seen', metadata = $2 where id = $1", [
        seeded.deposit,
        { note: "seen" },
      ]);
      expect(written.rowCount).toBe(1);
    });
  });

  it("needs an approval to complete if it is a withdrawal", async () => {
    const { app } = database;
    const complete = "update transactions set status = 'completed', completed_at = now()";
    const error = await refusal(app.query(`${complete} where id = $1`, [seeded.pendingWithdrawal]));
    expect(error).toMatchObject({ code: "23514", constraint: "transactions_withdrawal_approved" });
    await inTransaction(app, "rollback", async () => {
      const { rowCount } = await app.query(`${complete}, approved_by = $2, approved_at = now() where id = $1`, [
        seeded.pendingWithdrawal,
        seeded.finance,
      ]);
      expect(rowCount).toBe(1);
    });
  });

  it("cannot pay for another user's investment", async () => {
    const error = await refusal(
      database.app.query(
        `insert into transactions (user_id, investment_id, transaction_type, method, amount, idempotency_key)
         values ($1, $2, 'investment', 'wallet', 10, 'test')`,
        [seeded.bob, seeded.investment],
      ),
    );
    expect(error).toMatchObject({ code: "23503", constraint: "transactions_investment_id_user_id_fkey" });
  });

  it.each(["transactions", "investments", "users", "assets", "kyc_applications", "admin_users"])(
    "is kept, as is every row of %s: only the owner deletes, in declared maintenance",
    async (table) => {
      const { app, migrator } = database;
      expect((await refusal(app.query(`delete from ${table}`))).message).toBe(`permission denied for table ${table}`);
      expect((await refusal(migrator.query(`delete from ${table}`))).message).toBe(
        `DELETE on ${table} is not allowed: rows are kept for ever`,
      );
      expect((await refusal(migrator.query(`truncate ${table} cascade`))).code).toBe("23001");
    },
  );
});

describe("the integrity findings", () => {
  it.each([
    [
      "the KYC level is not that of the approved applications",
      `update users set kyc_level = 1 where id = '${seeded.dave}'`,
    ],
    ["the tier needs a higher KYC level", `update users set tier_code = 'plus' where id = '${seeded.dave}'`],
    [
      "the raised amount is not the sum of the investments",
      `update assets set raised_amount = 1 where id = '${seeded.asset}'`,
    ],
    [
      "the investment runs without a subscription agreement",
      `delete from investment_agreements where investment_id = '${seeded.investment}'`,
    ],
    ["the investment runs and is not paid", `delete from transactions where investment_id = '${seeded.investment}'`],
    [
      "more was redeemed than the investment says",
      "update investments set redeemed_amount = 1 where status = 'redeemed' and user_id = (select id from users where email = 'bob@example.com')",
    ],
    [
      "the event settled a transaction of another hash",
      `update blockchain_events set transaction_id = '${seeded.deposit}' where id = (select id from blockchain_events where status = 'processed' limit 1)`,
    ],
  ])("report that %s", async (finding, breaking) => {
    const { superuser } = database;
    await inTransaction(superuser, "rollback", async () => {
      await superuser.query("set local session_replication_role = replica");
      await superuser.query(breaking);
      const { rows } = await superuser.query("select distinct finding from integrity_findings()");
      expect(rows.map((row) => row.finding)).toContain(finding);
    });
  });
});
