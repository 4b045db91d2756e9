import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generatePendFiles, rejectedRows } from "../../../../migrations/pend/import/generate.ts";
import map from "../../../../migrations/pend/import/json.ts";
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
