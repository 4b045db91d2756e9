import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generatePendFiles, rejectedRows } from "../../../../migrations/pend/import/generate.ts";
import map from "../../../../migrations/pend/import/json.ts";
import { exportImport } from "../../../../scripts/import/export/export-import.ts";
import { rollbackImport } from "../../../../scripts/import/run/rollback.ts";
import { type ImportResult, runImport } from "../../../../scripts/import/run/run-import.ts";
import { openSource } from "../../../../scripts/import/source/open-source.ts";
import type { ImportMap } from "../../../../scripts/index.ts";
import { type MigratedDatabase, startMigratedDatabase } from "../migrated-database.ts";

const users = 90;
let database: MigratedDatabase;
let folder: string;
let first: ImportResult["report"];

beforeAll(async () => {
  database = await startMigratedDatabase("pend", ["reference"]);
  folder = await mkdtemp(join(tmpdir(), "pgw-pend-import-"));
  generatePendFiles(folder, { users, invalid: true });
  first = (await importFiles({ ...map, rejects: "skip" })).report;
});
afterAll(async () => {
  await database?.stop();
  await rm(folder, { recursive: true, force: true });
});

const connection = () => database.server.as("migrator", "pend");

async function importFiles(chosen: ImportMap): Promise<ImportResult> {
  const source = await openSource("json", folder);
  try {
    return await runImport({ connection: connection(), database: "pend", source, map: chosen });
  } finally {
    await source.close();
  }
}

/** Part of a user in wallet-db.json that the test reads. */
interface StoredUser {
  profile: { fullName: string };
  referredBy?: string;
  transactions: { id: string; amount: string | number; createdAt: number }[];
}

const readJson = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const texts = async (sql: string) => (await database.migrator.query({ text: sql, rowMode: "array" })).rows;

describe("the map of Pend's JSON files", () => {
  it("imports everything but the invalid rows, and proves it", () => {
    expect(first.verify).toMatchObject({ verified: true, failures: [], notCompared: [] });
    const counts = Object.fromEntries(
      first.tables.map(({ target, inserted, rejected }) => [target.slice(7), [inserted, rejected]]),
    );
    expect(counts).toEqual({
      admin_users: [2, 0],
      users: [users + 1, 1],
      user_profiles: [users + 1, 1],
      kyc_applications: [users + 1, 0],
      kyc_documents: [users + 1, 0],
      assets: [12, 0],
      investments: [users, 1],
      investment_agreements: [users, 1],
      transactions: [users * 2 + 1, 2],
      blockchain_events: [users, 0],
      contract_interactions: [users, 0],
      admin_logs: [users, 1],
      system_logs: [users, 0],
      system_metrics: [users, 1],
      api_usage_logs: [users, 0],
    });
  });

  it("names each invalid row with its reason", () => {
    const reasons = first.rejects.map(
      ({ source, target, problems }) => `${source} -> ${target.slice(7)}: ${problems[0]?.reason}`,
    );
    expect(reasons).toHaveLength(rejectedRows.length);
    for (const [index, reason] of reasons.entries()) expect(reason).toContain(rejectedRows[index]);
  });

  it("gives the same users and transactions as the files, read without the import", async () => {
    const store = Object.entries<StoredUser>(readJson("wallet-db.json").users).filter(([name]) => name !== "u_bad");
    const expected = store.flatMap(([name, user]) =>
      user.transactions
        .filter(({ id }) => id !== `tx_${users + 1}_2`)
        .map((each) => [
          name,
          user.profile.fullName,
          user.referredBy ?? null,
          each.id,
          Number(each.amount),
          each.createdAt / 1000,
        ]),
    );
    const found = await texts(
      `select u.legacy_id, p.full_name, r.legacy_id, t.idempotency_key, t.amount::float8, extract(epoch from t.created_at)::float8
         from transactions t join users u on u.id = t.user_id join user_profiles p on p.user_id = u.id left join users r on r.id = u.referred_by`,
    );
    const sorted = (rows: unknown[][]) => rows.map((row) => JSON.stringify(row)).sort();
    expect(expected.length).toBe(users * 2 + 1);
    expect(sorted(found)).toEqual(sorted(expected));
  });

  it("keeps every digit of amounts on the chain, and lets the target arrive at what was raised", async () => {
    const [file = ""] = readdirSync(join(folder, "explorer-data"));
    const amounts = [...readFileSync(join(folder, "explorer-data", file), "utf8").matchAll(/"amount": (\d+),/g)].map(
      ([, digits]) => digits,
    );
    expect(await texts("select amount::text from blockchain_events order by block_number")).toEqual(
      amounts.map((digits) => [digits]),
    );
    const opportunities = readFileSync(join(folder, "admin-opportunities.json"), "utf8").matchAll(
      /"id": "(opp_\d+)"[^}]*?"target": ([\d.]+), "raised": (\d+)/g,
    );
    expect(
      await texts("select legacy_id, target_amount::text, raised_amount::bigint::text from assets order by legacy_id"),
    ).toEqual([...opportunities].map(([, id, target, raised]) => [id, target, raised]).sort());
  });

  it("leaves a database in which every rule of the application holds", async () => {
    expect(await texts("select * from integrity_findings()")).toEqual([]);
    expect(
      await texts("select target_id, details ->> 'rejected' from admin_logs where action = 'data.import'"),
    ).toEqual([[first.run, String(rejectedRows.length)]]);
  });

  it("changes nothing the second time, and a rollback removes everything", async () => {
    const again = await importFiles({ ...map, rejects: "skip" });
    expect(again.report.outcome).toBe("verified");
    expect(again.report.tables.reduce((sum, { inserted, updated }) => sum + inserted + updated, 0)).toBe(0);
    const { conflicts } = await rollbackImport({ connection: connection(), run: first.run });
    expect(conflicts).toEqual([]);
    expect(
      await texts(
        "select (select count(*)::int from users), (select count(*)::int from transactions), (select count(*)::int from user_tiers) > 0",
      ),
    ).toEqual([[0, 0, true]]);
  });
});

describe("the export of Pend's JSON files", () => {
  const out = (name: string) => join(folder, "..", `${basename(folder)}-${name}`);
  afterAll(async () => {
    for (const name of ["same", "changed"]) await rm(out(name), { recursive: true, force: true });
  });
  const exportTo = (name: string) => exportImport({ connection: connection(), database: "pend", to: out(name) });
  const filesOf = (root: string) =>
    readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".json"))
      .sort();
  const exported = (name: string) => JSON.parse(readFileSync(join(out("changed"), name), "utf8"));

  it("gives the same files after the import, rejected rows included", async () => {
    await importFiles({ ...map, rejects: "skip" });
    const done = await exportTo("same");
    expect([done.tables, done.notWritten]).toEqual([[], []]);
    expect(filesOf(out("same"))).toEqual(filesOf(folder));
    for (const name of filesOf(folder))
      expect(readFileSync(join(out("same"), name), "utf8"), name).toBe(readFileSync(join(folder, name), "utf8"));
  });

  it("shows the old system what changed in the database", async () => {
    await database.migrator.query(`begin; set local app.maintenance = 'on';
      update users set status = 'suspended', status_reason = 'Asked for it', last_login_at = '2025-03-04 05:06:07.5+00' where legacy_id = 'u_1';
      update user_profiles set city = null, interests = array['wind', 'say "hi"'], preferences = preferences || '{"scale": 2}'
        where user_id = (select id from users where legacy_id = 'u_2');
      update kyc_applications set reviewed_by = (select id from admin_users where email = 'admin2@example.org')
        where user_id = (select id from users where legacy_id = 'u_3');
      update users set referred_by = (select id from users where legacy_id = 'u_9') where legacy_id = 'u_8';
      update assets set name = 'Wind Park', opens_at = '2024-05-06 07:08:09.123+00' where legacy_id = 'opp_2';
      insert into users (id, phone_hash, blockchain_address, status, tier_code, created_at)
        values ('01234567-89ab-4cde-8f01-23456789abcd', repeat('a', 64), '0x' || repeat('b', 40), 'active', 'basic', '2025-01-01');
      insert into user_profiles (user_id, full_name, created_at) values ('01234567-89ab-4cde-8f01-23456789abcd', 'New One', '2025-01-01');
      insert into transactions (user_id, transaction_type, status, method, amount, idempotency_key, created_at) values
        ('01234567-89ab-4cde-8f01-23456789abcd', 'deposit', 'pending', 'card', 12.5, 'fresh-1', '2025-01-02'),
        ((select id from users where legacy_id = 'u_1'), 'deposit', 'pending', 'card', 7, 'fresh-2', '2025-01-02 03:04:05.678');
      commit`);
    const done = await exportTo("changed");
    expect(done.notWritten).toEqual([]);
    expect(done.tables).toEqual([
      { table: "public.users", changed: 2, added: 1, removed: 0 },
      { table: "public.user_profiles", changed: 1, added: 1, removed: 0 },
      { table: "public.kyc_applications", changed: 1, added: 0, removed: 0 },
      { table: "public.transactions", changed: 0, added: 2, removed: 0 },
      { table: "public.assets", changed: 1, added: 0, removed: 0 },
      { table: "public.admin_logs", changed: 0, added: 1, removed: 0 },
    ]);
    // What the old server would read, with exactly these changes.
    const expected = readJson("wallet-db.json");
    const { u_1, u_2, u_3, u_8 } = expected.users;
    Object.assign(u_1, { status: "suspended", statusReason: "Asked for it", lastLogin: "2025-03-04T05:06:07.500Z" });
    u_1.transactions.push({
      type: "deposit",
      status: "pending",
      method: "card",
      amount: "7",
      id: "fresh-2",
      createdAt: Date.UTC(2025, 0, 2, 3, 4, 5, 678),
    });
    Object.assign(u_2.profile, { city: null, interests: ["wind", 'say "hi"'], settings: { theme: "dark", scale: 2 } });
    u_3.kyc[0].reviewedBy = "admin_2";
    u_8.referredBy = "u_9";
    const { "01234567-89ab-4cde-8f01-23456789abcd": added, ...others } = exported("wallet-db.json").users;
    for (const [name, user] of Object.entries<{ transactions: unknown[] }>(others)) {
      // The text of a new amount is a number or a string, as the last one that was read.
      for (const each of user.transactions as { amount: unknown; id: string }[])
        if (each.id === "fresh-2") each.amount = String(each.amount);
      expect(user, name).toEqual(expected.users[name]);
    }
    expect(added).toMatchObject({
      wallet: { address: `0x${"b".repeat(40)}` },
      createdAt: Date.UTC(2025, 0, 1),
      profile: { fullName: "New One" },
      transactions: [{ id: "fresh-1", createdAt: Date.UTC(2025, 0, 2) }],
    });
    const assets = readJson("admin-opportunities.json");
    Object.assign(assets.opportunities[1], { title: "Wind Park", opensAt: Date.UTC(2024, 4, 6, 7, 8, 9, 123) });
    expect(exported("admin-opportunities.json")).toEqual(assets);
    expect(exported("metadata.json")).toEqual(readJson("metadata.json"));
    const logs = exported("admin-logs.json");
    expect(logs.pop()).toMatchObject({ action: "assets.update", ok: true, target: { type: "assets" } });
    expect(logs).toEqual(readJson("admin-logs.json"));
  });

  it("lets the old system go on, and its files come back as changes", async () => {
    const source = await openSource("json", out("changed"));
    try {
      const again = { ...map, rejects: "skip", existing: "merge" } as const;
      const { report } = await runImport({ connection: connection(), database: "pend", source, map: again });
      expect(report.verify?.failures).toEqual([]);
      const counts = report.tables.map(({ inserted, updated, kept }) => inserted + updated + kept);
      expect(counts.reduce((sum, count) => sum + count)).toBe(0);
      // Rows that PostgreSQL made have an id of their own there, so they are not taken for the same.
      const known = [...rejectedRows.map((each) => each.split(": ").slice(1).join(": "))];
      const others = report.rejects.filter(
        ({ problems }) => !known.some((each) => problems[0]?.reason.startsWith(each)),
      );
      expect(others.map(({ target, problems }) => `${target}: ${problems[0]?.reason}`)).toEqual([
        "public.users: the target has a row with this key and other values in: legacy_id",
        "public.transactions: another row of the target has the same key (transactions_idempotency_key_key)",
        "public.transactions: another row of the target has the same key (transactions_idempotency_key_key)",
      ]);
    } finally {
      await source.close();
    }
  });
});
