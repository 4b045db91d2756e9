import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";

const account = "30000000-0000-4000-8000-000000000001";
let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("trading", ["reference", "dev"]);
});
afterAll(() => database?.stop());

const book = `insert into account_transactions (account_id, transaction_type, amount, idempotency_key)
  values ($1, $2, $3, $4) on conflict do nothing`;

async function balance(client = database.app) {
  const { rows } = await client.query("select balance, last_transaction_number as number from accounts where id = $1", [
    account,
  ]);
  return rows[0] as { balance: string; number: string };
}

describe("an account's ledger", () => {
  it("moves the balance exactly, to the eighth digit", async () => {
    await inTransaction(database.app, "rollback", async () => {
      const before = await balance();
      await database.app.query(book, [account, "adjustment", "0.00000001", "tiny"]);
      await database.app.query(book, [account, "adjustment", "9007199254740993.1", "beyond doubles"]);
      const { rows } = await database.app.query(
        "select $1::numeric + 0.00000001 + 9007199254740993.1 = balance as exact from accounts where id = $2",
        [before.balance, account],
      );
      expect(rows).toEqual([{ exact: true }]);
    });
  });

  it("numbers rows without gaps and carries the balance forward, also for several rows at once", async () => {
    await inTransaction(database.app, "rollback", async () => {
      const before = await balance();
      const { rows } = await database.app.query(
        `insert into account_transactions (account_id, transaction_type, amount, idempotency_key)
         select $1, 'deposit', n, 'row ' || n from generate_series(1, 3) as n
         returning sequence_number - $2 as step, balance_before - $3 as before, balance_after - $3 as after`,
        [account, before.number, before.balance],
      );
      expect(rows).toEqual([
        { step: "1", before: "0.00000000", after: "1.00000000" },
        { step: "2", before: "1.00000000", after: "3.00000000" },
        { step: "3", before: "3.00000000", after: "6.00000000" },
      ]);
      await database.app.query("set constraints all immediate");
    });
  });

  it("books the same request only once", async () => {
    await inTransaction(database.app, "rollback", async () => {
      await database.app.query(book, [account, "deposit", 10, "same"]);
      const once = await balance();
      const { rowCount } = await database.app.query(book, [account, "deposit", 10, "same"]);
      expect(rowCount).toBe(0);
      expect(await balance()).toEqual(once);
      await database.app.query("set constraints all immediate");
    });
  });

  it("keeps its chain when two sessions book at once", async () => {
    const other = await database.connect(database.server.as("app", "trading"));
    const before = await balance();
    const bookings = [database.app, other].map((client, index) =>
      inTransaction(client, "commit", async () => {
        for (let n = 0; n < 20; n++) await client.query(book, [account, "adjustment", 1, `race ${index} ${n}`]);
      }),
    );
    await Promise.all(bookings);
    const after = await balance();
    expect(Number(after.number) - Number(before.number)).toBe(40);
    const { rows } = await database.app.query(
      `select count(*)::int as broken from (
         select balance_before <> lag(balance_after, 1, 0) over (order by sequence_number)
           or sequence_number <> row_number() over (order by sequence_number) as wrong
         from account_transactions where account_id = $1) as chain
       where wrong`,
      [account],
    );
    expect(rows).toEqual([{ broken: 0 }]);
  });

  it("is the only way to change a balance", async () => {
    const attempt = inTransaction(database.app, "commit", () =>
      database.app.query("update accounts set balance = balance + 1 where id = $1", [account]),
    );
    const error = await refusal(attempt);
    expect(error).toMatchObject({ code: "23514", constraint: "accounts_balance_matches_ledger" });
    expect(error.hint).toBe("Insert into account_transactions instead; its trigger moves the balance.");
  });

  it("does not let a balance fall below zero", async () => {
    const attempt = inTransaction(database.app, "commit", () =>
      database.app.query(book, [account, "withdrawal", -1e9, "too much"]),
    );
    expect(await refusal(attempt)).toMatchObject({ code: "23514", constraint: "accounts_balance_not_negative" });
  });

  it("accepts only a reversal that exactly undoes its row", async () => {
    const { app } = database;
    const reverse = `insert into account_transactions (account_id, transaction_type, amount, reverses_id, idempotency_key)
      select $1, 'reversal', $2, id, 'undo' from account_transactions where account_id = $3 and amount = -2500`;
    const elsewhere = "30000000-0000-4000-8000-000000000002";
    await inTransaction(app, "rollback", async () => {
      expect((await app.query(reverse, [account, 2500, account])).rowCount).toBe(1);
    });
    for (const [into, amount] of [
      [account, 2499],
      [account, -2500],
      [elsewhere, 2500],
    ]) {
      const error = await refusal(app.query(reverse, [into, amount, account]));
      expect(error).toMatchObject({ code: "23514", constraint: "account_transactions_reversal_undoes_its_row" });
    }
  });

  it("accepts nothing for a closed account", async () => {
    const { migrator } = database;
    const attempt = inTransaction(migrator, "rollback", async () => {
      const { rows } = await migrator.query(
        `insert into accounts (user_id, account_number, account_type, currency, status, closed_at)
         select user_id, 'CLOSED-1', 'live', 'USD', 'closed', now() from accounts where id = $1 returning id`,
        [account],
      );
      await migrator.query(book, [rows[0].id, "deposit", 1, "late"]);
    });
    const error = await refusal(attempt);
    expect(error.message).toBe("account CLOSED-1 is closed and takes no transactions");
  });

  it("keeps an account's currency once it has rows", async () => {
    const error = await refusal(database.app.query("update accounts set currency = 'EUR' where id = $1", [account]));
    expect(error.message).toBe("account LIVE-100001: currency cannot go from USD to EUR, it has transactions");
  });

  it.each(["account_transactions", "order_fills", "trades"])("is never rewritten: %s", async (table) => {
    for (const statement of [
      `update ${table} set metadata = '{}'`,
      `delete from ${table}`,
      `truncate ${table} cascade`,
    ]) {
      expect((await refusal(database.app.query(statement))).message).toBe(`permission denied for table ${table}`);
    }
    expect((await refusal(database.migrator.query(`delete from ${table}`))).message).toBe(
      `DELETE on ${table} is not allowed: the table is append-only`,
    );
  });

  it("counts versions, so that only one of two changes to the same version succeeds", async () => {
    await inTransaction(database.app, "rollback", async () => {
      const { rows } = await database.app.query("select version from accounts where id = $1", [account]);
      const update = "update accounts set leverage = 20 where id = $1 and version = $2";
      expect((await database.app.query(update, [account, rows[0].version])).rowCount).toBe(1);
      expect((await database.app.query(update, [account, rows[0].version])).rowCount).toBe(0);
    });
  });
});
