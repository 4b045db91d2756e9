import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { Worker } from "node:worker_threads";
import type { Client } from "pg";
import { generatePendFiles } from "../../../../migrations/pend/import/generate.ts";
import map from "../../../../migrations/pend/import/json.ts";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { runImport } from "../../../../scripts/import/run/run-import.ts";
import { openSource } from "../../../../scripts/import/source/open-source.ts";
import { compareImport } from "../../../../scripts/import/verify-import.ts";
import { describeMilliseconds, type Measurement, median, timed } from "../../../bench/measurement.ts";
import { startBenchServer } from "../../../bench/server.ts";
import { runFile, sqlFiles } from "../sql-files.ts";

/** Number of users, with about ten rows each. `PGW_BENCH_PEND_USERS` sets another one. */
const users = Number(process.env.PGW_BENCH_PEND_USERS ?? 50_000);
const runs = 5;

/**
 * Measures the five operations of Pend on its JSON files, by code that reads the files as its old server did, and on
 * PostgreSQL after the import. Both give the same answers. Then it rehearses the switch while the old system writes.
 */
export async function bench(scratch: string): Promise<Measurement[]> {
  const server = await startBenchServer(scratch, { shared_buffers: "256MB", max_wal_size: "4GB" });
  try {
    const connection = (await server.createKitDatabase("pend"))("migrator");
    await migrate(connection);
    const folder = join(scratch, "pend");
    generatePendFiles(folder, { users });
    const imported = await timed(() => importFiles(connection, folder, false));
    await withClient(connection, (client) => client.query("select refresh_analytics(); analyze"));
    process.stderr.write(
      `pend: ${users} users, ${megabytes(folder)} MB of JSON, imported in ${imported.toFixed(1)} s\n`,
    );
    const measurements: Measurement[] = [];
    await withClient(connection, async (client) => {
      for (const operation of operations) measurements.push(await measure(operation, folder, client));
    });
    return [...measurements, ...(await rehearse(connection, folder, imported))];
  } finally {
    await server.stop();
  }
}

async function migrate(connection: Connection): Promise<void> {
  await withClient(connection, async (client) => {
    const committed = await sqlFiles("pend", "committed");
    for (const path of committed.filter((each) => !each.endsWith(".down.sql"))) await runFile(client, path);
    for (const path of await sqlFiles("pend", "seeds/reference")) await runFile(client, path);
  });
}

async function importFiles(connection: Connection, folder: string, changesOnly: boolean): Promise<void> {
  const source = await openSource("json", folder);
  try {
    const chosen = changesOnly ? ({ ...map, existing: "merge" } as const) : map;
    const { report } = await runImport({ connection, database: "pend", source, map: chosen });
    if (report.outcome !== "verified") throw new Error(`the import is ${report.outcome}`);
  } finally {
    await source.close();
  }
}

function megabytes(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => statSync(join(folder, name)));
  return Math.round(files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0) / 1_048_576);
}

/** Parts of the files that the operations read. */
interface StoredUser {
  phoneHash: string;
  status: string;
  tier: string;
  profile: { fullName: string };
  kyc: { status: string }[];
  investments: { id: string; assetId: string; status: string; amount: string | number }[];
  transactions: {
    id: string;
    type: string;
    status: string;
    amount: string | number;
    investmentId?: string;
    createdAt: number;
  }[];
}
interface StoredAsset {
  id: string;
  title: string;
  status: string;
}
interface Files {
  users(): Record<string, StoredUser>;
  assets(): StoredAsset[];
  logs(): { timestamp: string; action: string }[];
  events(): number;
}

/** Reads a file for each answer, as a server does that keeps nothing in memory. */
function filesIn(folder: string): Files {
  const parse = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));
  return {
    users: () => parse("wallet-db.json").users,
    assets: () => parse("admin-opportunities.json").opportunities,
    logs: () => parse("admin-logs.json"),
    events: () =>
      readdirSync(join(folder, "explorer-data")).reduce(
        (sum, name) => sum + parse(join("explorer-data", name)).events.length,
        0,
      ),
  };
}

/** An operation of Pend's page, on the files and in SQL. Both give rows of texts and numbers. */
interface Operation {
  name: string;
  /** Most milliseconds that Pend's page claims for PostgreSQL. */
  withinMs: number;
  fromFiles(files: Files, user: string): unknown[];
  sql: string;
}

const cents = (amount: string | number) => Math.round(Number(amount) * 1e6);
const units = (micros: number) => (micros / 1e6).toFixed(6);

const operations: Operation[] = [
  {
    name: "user lookup",
    withinMs: 25,
    fromFiles: (files, name) => {
      const store = files.users();
      return Object.entries(store).flatMap(([id, user]) =>
        user.phoneHash === store[name]?.phoneHash
          ? [[id, user.profile.fullName, user.tier, user.investments.length]]
          : [],
      );
    },
    sql: `select u.legacy_id, p.full_name, u.tier_code, (select count(*)::int from investments i where i.user_id = u.id)
            from users u join user_profiles p on p.user_id = u.id
           where u.phone_hash = (select phone_hash from users where legacy_id = $1)`,
  },
  {
    name: "asset search",
    withinMs: 45,
    fromFiles: (files) => {
      const raised = new Map<string, { investors: Set<string>; amount: number }>();
      for (const [name, user] of Object.entries(files.users()))
        for (const { assetId, status, amount } of user.investments) {
          if (status !== "active" && status !== "pending") continue;
          const known = raised.get(assetId) ?? { investors: new Set(), amount: 0 };
          known.investors.add(name);
          known.amount += cents(amount);
          raised.set(assetId, known);
        }
      return files
        .assets()
        .filter(({ title, status }) => /\bsolar\b/i.test(title) && status === "active")
        .map(({ id, title }) => [id, title, raised.get(id)?.investors.size ?? 0, units(raised.get(id)?.amount ?? 0)])
        .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
    },
    sql: `select a.legacy_id, a.name, s.investors::int, s.invested::numeric(30,6)::text
            from assets a join asset_statistics s on s.asset_id = a.id
           where a.search @@ websearch_to_tsquery('english', 'solar') and a.status = 'active' and a.deleted_at is null
             and $1::text is not null order by a.legacy_id collate "C"`,
  },
  {
    name: "admin dashboard",
    withinMs: 150,
    fromFiles: (files) => {
      const all = Object.values(files.users());
      const transactions = all.flatMap((user) => user.transactions);
      const logs = files.logs();
      const latest = logs.map(({ timestamp }) => Date.parse(timestamp)).sort((a, b) => b - a);
      return [
        [
          all.filter(({ status }) => status === "suspended").length,
          all.flatMap(({ kyc }) => kyc).filter(({ status }) => status === "submitted").length,
          transactions.filter(({ status }) => status === "pending" || status === "processing").length,
          files.events() > 0,
          latest[9],
        ],
      ];
    },
    sql: `select (select count(*)::int from users where status = 'suspended' and deleted_at is null),
                 (select count(*)::int from kyc_applications where status = 'submitted'),
                 (select count(*)::int from transactions where status in ('pending', 'processing')),
                 exists (select from blockchain_events),
                 (select (extract(epoch from timestamp) * 1000)::float8 from admin_logs
                   where action = 'user.view' order by timestamp desc offset 9 limit 1) where $1::text is not null`,
  },
  {
    name: "transaction history",
    withinMs: 75,
    fromFiles: (files, name) => {
      const user = files.users()[name];
      const titles = new Map(files.assets().map(({ id, title }) => [id, title]));
      const assets = new Map(user?.investments.map(({ id, assetId }) => [id, titles.get(assetId)]));
      return (user?.transactions ?? [])
        .sort((a, b) => b.createdAt - a.createdAt)
        .map((each) => [each.id, units(cents(each.amount)), assets.get(each.investmentId ?? "") ?? null]);
    },
    sql: `select t.idempotency_key, t.amount::text, a.name
            from transactions t left join investments i on i.id = t.investment_id left join assets a on a.id = i.asset_id
           where t.user_id = (select id from users where legacy_id = $1) order by t.created_at desc`,
  },
  {
    name: "complex analytics",
    withinMs: 200,
    fromFiles: (files) => {
      const months = new Map<string, { count: number; amount: number }>();
      for (const { transactions } of Object.values(files.users()))
        for (const { type, status, amount, createdAt } of transactions) {
          if (status !== "completed") continue;
          const key = `${new Date(createdAt).toISOString().slice(0, 7)} ${type}`;
          const known = months.get(key) ?? { count: 0, amount: 0 };
          known.count++;
          known.amount += cents(amount);
          months.set(key, known);
        }
      return [...months]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, { count, amount }]) => [key, count, units(amount)]);
    },
    sql: `select * from (
            select to_char(day, 'YYYY-MM') || ' ' || transaction_type as key, sum(transactions)::int, sum(amount)::text
              from transaction_days where status = 'completed' and $1::text is not null group by 1) as months
           order by key collate "C"`,
  },
];

async function measure(operation: Operation, folder: string, client: Client): Promise<Measurement> {
  const { name, sql, withinMs } = operation;
  const user = `u_${Math.ceil(users / 2)}`;
  const files = filesIn(folder);
  const ask = async () => (await client.query({ text: sql, values: [user], rowMode: "array" })).rows;
  let expected: unknown[] = [];
  const seconds = await timed(async () => {
    expected = operation.fromFiles(files, user);
  });
  const found = await ask();
  if (!isDeepStrictEqual(found, expected))
    throw new Error(`${name}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`.slice(0, 2_000));
  const times: number[] = [];
  for (let run = 0; run < runs; run++) times.push(await timed(ask));
  const ratio = seconds / median(times);
  return {
    what: `pend: ${name}, ${users} users, same answer`,
    here: describeMilliseconds(times),
    against: `${(seconds * 1000).toFixed(0)} ms JSON files`,
    ratio,
    target: `≥ 100×, ≤ ${withinMs} ms`,
    met: ratio >= 100 && median(times) * 1000 <= withinMs,
  };
}

/**
 * Rehearses the switch while the old system writes: copies of its files are imported, first all, then the changes. Then
 * it is frozen, the last changes are imported from its own files, and both sides are compared. Only the time since the
 * freeze is downtime.
 */
async function rehearse(connection: Connection, folder: string, full: number): Promise<Measurement[]> {
  const old = startOldSystem(folder);
  const copy = async () => {
    const to = `${folder}-copy`;
    await rm(to, { recursive: true, force: true });
    await cp(folder, to, { recursive: true });
    return to;
  };
  await setTimeout(3_000);
  const changes = await timed(async () => importFiles(connection, await copy(), true));
  const writes = await old.freeze();
  const last = await timed(() => importFiles(connection, folder, true));
  const compared = await timed(async () => {
    const { equal, changes: different } = await compareImport({ connection, database: "pend" });
    if (!equal) throw new Error(`source and target differ: ${JSON.stringify(different.slice(0, 3))}`);
  });
  const downtime = last + compared;
  process.stderr.write(
    `pend: ${writes} writes of the old system; changes ${changes.toFixed(1)} s, frozen: ${last.toFixed(1)} s and ${compared.toFixed(1)} s\n`,
  );
  return [
    {
      what: `pend: switch with ${users} users after ${writes} writes: downtime for the last changes and the comparison`,
      here: `${downtime.toFixed(1)} s`,
      against: `${full.toFixed(1)} s full import`,
      ratio: full / downtime,
      target: "writes > 0, equal",
      met: writes > 0,
    },
  ];
}

/** Starts a thread that writes as the old server did: it reads wallet-db.json, changes it and replaces it. */
function startOldSystem(folder: string): { freeze(): Promise<number> } {
  const frozen = new Int32Array(new SharedArrayBuffer(4));
  const file = join(folder, "wallet-db.json");
  const worker = new Worker(
    `const { readFileSync, renameSync, writeFileSync } = require("node:fs");
     const { parentPort, workerData: { file, frozen, users } } = require("node:worker_threads");
     let writes = 0;
     while (Atomics.load(frozen, 0) === 0) {
       const store = JSON.parse(readFileSync(file, "utf8"));
       const user = store.users["u_" + (1 + ((writes * 7919) % users))];
       user.profile.city = "City " + ++writes;
       user.transactions.push({ id: "tx_w_" + writes, type: "deposit", status: "pending", method: "card", amount: "1.00", createdAt: user.createdAt });
       writeFileSync(file + ".next", JSON.stringify(store));
       renameSync(file + ".next", file);
     }
     parentPort.postMessage(writes);`,
    { eval: true, workerData: { file, frozen, users } },
  );
  const written = once(worker, "message");
  return {
    freeze: async () => {
      Atomics.store(frozen, 0, 1);
      const [writes] = await written;
      return Number(writes);
    },
  };
}
