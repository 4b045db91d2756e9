import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Kysely } from "kysely";
import {
  InvalidValueError,
  NotFoundError,
  type Pool,
  RelatedRowError,
  VersionConflictError,
  withRequestContext,
} from "pgroundwork";
import { kyselyOn } from "pgroundwork/kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as analytics from "../../../../migrations/pend/data/analytics.ts";
import * as assets from "../../../../migrations/pend/data/assets.ts";
import { dashboardStats } from "../../../../migrations/pend/data/dashboard.ts";
import * as investments from "../../../../migrations/pend/data/investments.ts";
import { transactionHistory } from "../../../../migrations/pend/data/transactions.ts";
import { lookUpUser } from "../../../../migrations/pend/data/users.ts";
import type { DB } from "../../../../migrations/pend/types.ts";
import { openDashboard } from "../../../../scripts/cli/commands/health/dashboard.ts";
import { serveHealth } from "../../../../scripts/health/server/serve.ts";
import { defaultSettings } from "../../../../scripts/health/settings.ts";
import { startProtocolProxy } from "../../../support/protocol-proxy.ts";
import { databaseFolder, type MigratedDatabase, startMigratedDatabase } from "../migrated-database.ts";
import { callWithHostileTexts, poolOf } from "../pool.ts";
import { seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;
let pool: Pool;
let db: Kysely<DB>;
beforeAll(async () => {
  database = await startMigratedDatabase("pend", ["reference", "dev"]);
  await database.migrator.query("select refresh_analytics()");
  pool = poolOf(database);
  db = kyselyOn<DB>(pool);
});
afterAll(async () => {
  await pool.end();
  await database.stop();
});

const asAdmin = <T>(run: () => Promise<T>) => withRequestContext({ adminUserId: seeded.admin }, run);

function request(idempotencyKey: string = randomUUID(), amount = "100"): investments.InvestmentRequest {
  return {
    ...{ userId: seeded.alice, assetId: seeded.asset, amount, idempotencyKey, payment: { method: "wallet" } },
    agreement: { version: "2025-01", document_sha256: randomBytes(32).toString("hex"), ip: "192.0.2.1" },
  };
}

/** Counts the investments and payments of a key. */
async function placed(key: string) {
  const { rows } = await database.superuser.query(
    `select count(*)::int as payments, count(distinct investment_id)::int as investments,
       (select count(*)::int from investment_agreements where investment_id in (select investment_id from transactions where idempotency_key = $1)) as agreements
     from transactions where idempotency_key = $1`,
    [key],
  );
  return rows[0];
}

describe("placing an investment", () => {
  it("makes the investment, its agreement and its payment, once for each key", () =>
    asAdmin(async () => {
      const first = await investments.placeInvestment(pool, request("once"));
      expect(first).toMatchObject({ status: "active", units: "10.00000000", fee: "0.750000" });
      const again = await Promise.all([1, 2, 3].map(() => investments.placeInvestment(pool, request("once"))));
      expect(new Set(again.map(({ id }) => id))).toEqual(new Set([first.id]));
      expect(await placed("once")).toEqual({ payments: 1, investments: 1, agreements: 1 });
    }));

  it("leaves nothing behind if the asset does not allow it", () =>
    asAdmin(async () => {
      const refused = investments.placeInvestment(pool, request("too-small", "1"));
      await expect(refused).rejects.toMatchObject({
        constructor: InvalidValueError,
        constraint: "investments_allowed",
      });
      const wrong = { ...request("wrong"), agreement: { ...request().agreement, document_sha256: "x" } };
      await expect(investments.placeInvestment(pool, wrong)).rejects.toThrow(InvalidValueError);
      await expect(investments.placeInvestment(pool, { ...request("ghost"), assetId: randomUUID() })).rejects.toThrow(
        RelatedRowError,
      );
      for (const key of ["too-small", "wrong", "ghost"])
        expect(await placed(key)).toEqual({ payments: 0, investments: 0, agreements: 0 });
    }));

  it("is done exactly once if the answer to its COMMIT is lost", () =>
    asAdmin(async () => {
      const { host, port } = database.server.as("app", "pend");
      const proxy = await startProtocolProxy({ host, port });
      const { createPool } = await import("pgroundwork");
      const { user, password } = database.server.as("app", "pend");
      const cut = createPool({
        env: {},
        connection: { hosts: [{ host, port: proxy.port }], database: "pend", user, password },
      });
      let answers = 0;
      proxy.decide(({ from, type, text }) =>
        from === "server" && type === "C" && text.startsWith("COMMIT") && ++answers === 1 ? "cut-before" : "pass",
      );
      const investment = await investments.placeInvestment(cut, request("cut"));
      expect(investment.status).toBe("active");
      expect(answers).toBeGreaterThan(0);
      expect(await placed("cut")).toEqual({ payments: 1, investments: 1, agreements: 1 });
      await cut.end();
      await proxy.stop();
    }));
});

describe("the platform's operations", () => {
  it("look users up by each key", async () => {
    const byId = await lookUpUser(db, { id: seeded.alice });
    expect(byId).toMatchObject({ full_name: "Alice Archer", tier: "Premium", kyc_status: "approved" });
    expect(await lookUpUser(db, { blockchainAddress: byId.blockchain_address ?? "" })).toEqual(byId);
    const { rows } = await database.superuser.query("select phone_hash from users where id = $1", [seeded.alice]);
    expect(await lookUpUser(db, { phoneHash: rows[0]?.phone_hash })).toEqual(byId);
    await expect(lookUpUser(db, { phoneHash: "none" })).rejects.toThrow(NotFoundError);
  });

  it("search assets by words, and list offers", async () => {
    expect(await assets.searchAssets(db, "solar park")).toMatchObject([{ code: "SOLAR-SET" }]);
    expect(await assets.searchAssets(db, "solar -park")).toEqual([]);
    const offers = await assets.listOffers(db, "real_estate", "0.01");
    expect(offers.length).toBeGreaterThan(0);
    await callWithHostileTexts((text) => assets.searchAssets(db, text));
    await callWithHostileTexts((text) => lookUpUser(db, { blockchainAddress: text }));
  });

  it("read a user's history page by page", async () => {
    const { rows } = await transactionHistory(db, seeded.alice, { limit: 500 });
    expect(rows.find(({ transaction_type }) => transaction_type === "investment")?.asset_name).toBeTypeOf("string");
    const pages: string[] = [];
    let after: string | undefined;
    do {
      const page = await transactionHistory(db, seeded.alice, { limit: 2, after });
      pages.push(...page.rows.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    expect(pages).toEqual(rows.map(({ id }) => id));
  });

  it("read the dashboard and the analytics", async () => {
    const stats = await dashboardStats(db);
    const { rows } = await database.superuser.query(
      "select count(*)::text as n, sum(amount)::text as amount from transactions where status in ('pending', 'processing')",
    );
    expect(stats).toMatchObject({ transactionsWaiting: rows[0]?.n, amountWaiting: rows[0]?.amount });
    expect(stats.latest.length).toBeGreaterThan(0);
    expect((await analytics.moneyByMonth(db, "2000-01-01")).length).toBeGreaterThan(0);
    expect((await analytics.mostInvested(db))[0]?.invested).not.toBe("0");
    expect(await analytics.investorsOf(db, seeded.asset)).toEqual(
      expect.arrayContaining([expect.objectContaining({ status: "active" })]),
    );
  });
});

describe("the dashboard of the health server", () => {
  it("has the numbers that the readonly login reads", async () => {
    const login = database.server.as("readonly", "pend");
    const dashboard = await openDashboard(login, join(databaseFolder("pend"), "data/dashboard.ts"));
    expect(dashboard.source).not.toHaveProperty("reason");
    const token = randomBytes(16).toString("hex");
    const health = await serveHealth({
      ...{ connection: database.server.connection("pend"), settings: defaultSettings, port: 0, version: "1.0.0" },
      ...{ token, dashboard: dashboard.source },
    });
    try {
      const get = () =>
        fetch(`${health.url}/api/admin/dashboard-stats`, { headers: { authorization: `Bearer ${token}` } });
      const answers = await Promise.all([get(), get(), get()]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(await answers[0]?.json()).toEqual(await dashboardStats(db));
    } finally {
      await health.stop();
      await dashboard.close();
    }
  });
});

describe("assets", () => {
  it("are changed by version, which money that comes in does not move", () =>
    asAdmin(async () => {
      const created = await assets.createAsset(db, {
        ...{
          code: "DATA-TEST",
          name: "Data test",
          kind: "opportunity",
          term_months: 12,
          asset_class: "commodity",
          risk_rating: "low",
        },
        ...{ expected_return_rate: "0.05", unit_price: "10", target_amount: "1000", minimum_investment: "10" },
      });
      const changed = await assets.updateAsset(db, created.id, 1, { name: "Changed" });
      expect(changed).toMatchObject({ version: 2, name: "Changed" });
      await expect(assets.updateAsset(db, created.id, 1, { name: "Late" })).rejects.toThrow(VersionConflictError);
      const { version } = await assets.readAsset(db, seeded.asset);
      await investments.placeInvestment(pool, request());
      expect((await assets.readAsset(db, seeded.asset)).version).toBe(version);
      expect((await assets.listAssets(db, { status: "draft" })).rows.map(({ id }) => id)).toContain(created.id);
      await assets.deleteAsset(db, created.id, 2);
      await expect(assets.readAsset(db, created.id)).rejects.toThrow(NotFoundError);
      const { rows } = await database.superuser.query(
        "select changed_columns from admin_logs where target_id = $1 and action = 'assets.update' order by timestamp",
        [created.id],
      );
      expect(rows).toEqual([{ changed_columns: ["name"] }, { changed_columns: ["deleted_at"] }]);
    }));
});
