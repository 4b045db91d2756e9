import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { clientConfig } from "../../../../scripts/connection/connection.ts";
import { checks } from "../../../../scripts/doctor/all-checks.ts";
import { type Diagnosis, type DoctorFinding, diagnose } from "../../../../scripts/doctor/diagnose.ts";
import { withEmbeddedCluster } from "../../../../scripts/scratch/embedded-cluster.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { upFiles } from "../../migrations/migrated-database.ts";
import { runFile } from "../../migrations/sql-files.ts";
import { startFilledServer, type TestServer } from "../../server.ts";
import type { CheckCase, Situation } from "./check-case.ts";

const databases = ["trading", "learning", "kyb", "pend"];
const folder = join(import.meta.dirname, "cases");
const files = (await readdir(folder)).map((file) => file.replace(/\.ts$/, ""));
const cases = await Promise.all(
  files.map(async (name) => {
    const { cases: data } = (await import(`./cases/${name}.ts`)) as { cases: CheckCase };
    return { name, ...data };
  }),
);

let server: TestServer;
const opened: pg.Client[] = [];

beforeAll(async () => {
  server = await startFilledServer(
    "doctor",
    async (filled) => {
      for (const name of databases) {
        await filled.createDatabase(name);
        await withClient(filled.as("migrator", name), async (migrator) => {
          for (const path of await upFiles(name)) await runFile(migrator, path);
        });
      }
      await withClient(filled.connection(), async (client) => {
        await client.query("create database fault");
        await client.query("revoke all on database fault, postgres from public");
        await client.query("grant connect on database fault to monitor");
      });
    },
    {
      ...{ fsync: "on", synchronous_commit: "on", wal_level: "logical", archive_mode: "on", archive_command: "true" },
      ...{ max_prepared_transactions: "2", shared_preload_libraries: "pg_stat_statements", autovacuum_naptime: "1h" },
    },
  );
});
afterAll(() => server?.stop());
afterEach(async () => {
  await Promise.all(opened.splice(0).map((client) => client.end()));
});

async function open(database = "fault"): Promise<pg.Client> {
  const client = new pg.Client(clientConfig(server.connection(database)));
  client.on("error", () => {});
  await client.connect();
  opened.push(client);
  await client.query("set search_path = shop, public");
  return client;
}

async function run(statements: readonly string[], database?: string): Promise<void> {
  const client = await open(database);
  for (const statement of statements) await client.query(statement);
}

const endOthers =
  "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = 'fault' and pid <> pg_backend_pid()";

/** Makes a situation, passes the answers of a check to `use`, and removes the situation in any case. */
async function inSituation(
  check: string,
  { setup, teardown = [], thresholds }: Situation,
  limits: CheckCase["thresholds"],
  use: (ask: () => Promise<Diagnosis>) => Promise<void>,
): Promise<void> {
  await run(["create schema shop"]);
  try {
    if (typeof setup === "function") await setup(() => open());
    else await run(setup);
    await use(() =>
      diagnose([server.connection("fault")], { only: [check], thresholds: { ...limits, ...thresholds } }),
    );
  } finally {
    // A session that runs a statement ends only if it is told to, and keeps its locks until then.
    await run([endOthers, ...teardown, "drop schema shop cascade"]);
  }
}

/** Lists the objects of findings. Statements have ids that differ between servers. */
function objects({ findings }: Diagnosis): string[] {
  return findings
    .map(({ key, code, database }) => key.slice([code, ...(database === null ? [] : [database]), ""].join("/").length))
    .map((object) => (/^-?\d+$/.test(object) ? "<id>" : object))
    .sort();
}

async function apply(findings: readonly DoctorFinding[], statements: "statements" | "revert"): Promise<void> {
  for (const { fix } of findings) await run(fix?.[statements] ?? [], fix?.database);
}

describe.each(cases)("$name", ({ name, thresholds, faults, nearMisses }) => {
  it.each(faults)(
    "reports $title, and its fix removes the problem",
    async ({ finds, isWithoutFix, othersToo, ...fault }) => {
      await inSituation(name, fault, thresholds, async (ask) => {
        const before = await ask();
        if (othersToo)
          before.findings = before.findings.filter(({ objects: [object] }) => finds.includes(object ?? ""));
        expect(objects(before)).toEqual(finds);
        expect(before.findings.map(({ fix }) => fix === null)).toEqual(finds.map(() => isWithoutFix === true));
        if (isWithoutFix) return;
        await apply(before.findings, "statements");
        // A session ends a moment after it was told to.
        await vi.waitFor(async () =>
          expect(objects(await ask()).filter((object) => finds.includes(object))).toEqual([]),
        );
        if (fault.isRevertible === false || before.findings.every(({ fix }) => fix?.revert.length === 0)) return;
        await apply(before.findings, "revert");
        expect(objects(await ask())).toEqual(finds);
      });
    },
  );

  it.each(nearMisses)("does not report $title", async (nearMiss) => {
    await inSituation(name, nearMiss, thresholds, async (ask) => {
      const { checks: outcomes, findings } = await ask();
      expect(findings).toEqual([]);
      const reasons = outcomes.flatMap(({ unknown }) => unknown);
      if (nearMiss.unknown === undefined) expect(reasons).toEqual([]);
      else expect(reasons).toEqual([expect.stringMatching(nearMiss.unknown)]);
    });
  });
});

describe("doctor", () => {
  it("has a fault and a near miss for each check", () => {
    // The cluster of these tests has checksums, and the other check needs a history of days.
    const elsewhere = ["checksums-off", "slower-statement"];
    const others = checks.map(({ name }) => name).filter((name) => !elsewhere.includes(name));
    expect([...files].sort()).toEqual(others.sort());
    expect(cases.filter(({ faults, nearMisses }) => faults.length === 0 || nearMisses.length === 0)).toEqual([]);
  });

  it("finds nothing in new stacks of the reference databases, and reports what it cannot know yet", async () => {
    const { checks: outcomes, findings } = await diagnose(databases.map((name) => server.connection(name)));
    expect(findings).toEqual([]);
    const unknown = outcomes.filter(({ state }) => state === "unknown").map(({ check }) => check);
    expect([...new Set(unknown)]).toEqual(["unused-index", "missing-index", "slower-statement"]);
  });

  it("works with pg_monitor only, and says what that role cannot see", async () => {
    const monitor = databases.map((name) => ({ ...server.connection(name), user: "monitor" }));
    const { checks: outcomes, findings } = await diagnose(monitor);
    expect(findings).toEqual([]);
    const unknown = outcomes.filter(({ state }) => state === "unknown").map(({ check }) => check);
    expect([...new Set(unknown)].sort()).toEqual([
      "memory-setting",
      "missing-index",
      "slow-statement",
      "slower-statement",
      "unused-index",
    ]);
  });

  it("says that sessions and standbys are hidden from an ordinary role, so that no index counts as unused", async () => {
    const { checks: outcomes } = await diagnose([server.as("readonly", "trading")], {
      only: ["long-transaction", "idle-transaction", "blocked-session", "unused-index"],
      thresholds: { observedDays: 0 },
    });
    expect(outcomes.map(({ state, unknown }) => `${state}: ${unknown.join()}`)).toEqual(
      Array(4).fill(expect.stringMatching(/^unknown: the role sees no details of the sessions of other roles/)),
    );
  });

  it("names the session that blocks a check, and answers the others", async () => {
    await run(
      ["create schema shop", "create table item (id smallint primary key)", "insert into item values (32000)"].flatMap(
        (each, index) => (index === 1 ? ["set search_path = shop", each] : [each]),
      ),
    );
    const holder = await open();
    await holder.query("begin; lock table item");
    try {
      const { checks: outcomes } = await diagnose([server.connection("fault")], {
        only: ["exhausted-number", "table-without-key"],
      });
      expect(outcomes.map(({ check, state }) => `${check} ${state}`)).toEqual([
        "table-without-key clear",
        "exhausted-number unknown",
      ]);
      expect(outcomes[1]?.unknown).toEqual([
        expect.stringMatching(/not free within 200 ms; session \d+ holds ACCESS EXCLUSIVE on shop\.item/),
      ]);
    } finally {
      await holder.query("rollback");
      await run(["drop schema shop cascade"]);
    }
  });

  it("reports a cluster without checksums, and its unsafe settings", async () => {
    const request = { settings: {}, memoryMb: 32 };
    const { findings } = await withEmbeddedCluster(request, new Set(), ({ superuser }) =>
      diagnose([superuser], { only: ["checksums-off", "unsafe-setting"] }),
    );
    expect(findings.map(({ key }) => key).sort()).toEqual([
      "checksums-off/data_checksums",
      "unsafe-setting/autovacuum",
      "unsafe-setting/fsync",
      "unsafe-setting/full_page_writes",
    ]);
  });
});

describe("pgw doctor", () => {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  /** Runs the command on the database `fault`, without its password in the arguments. */
  async function doctor(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const { host, port, user, password } = server.connection();
    const url = `postgresql://${user}@${host}:${port}/fault`;
    const env = { ...process.env, PGPASSWORD: password };
    const command = ["scripts/pgw.ts", "doctor", "--url", url, "--only", "table-without-key,unused-index", ...args];
    return promisify(execFile)(process.execPath, command, { cwd: cloneRoot, env }).then(
      (done) => ({ code: 0, ...done }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  }

  it("prints findings, what is unknown, and the statements; its exit code is that of the worst one that counts", async () => {
    await run(["create schema shop", "create table shop.item (id int)"]);
    try {
      const { code, stdout } = await doctor();
      expect(code).toBe(4);
      expect(stdout).toContain("warning table-without-key in database fault");
      expect(stdout).toContain("  alter table shop.item add column row_id");
      expect(stdout).toContain("unknown unused-index in database fault: ");
      expect(stdout).toContain("2 checks, 0 without a problem; 0 error, 1 warning, 0 info, 1 unknown, 0 ignored");
      expect((await doctor("--fail-on", "error")).code).toBe(0);

      const folder = await mkdtemp(join(tmpdir(), "doctor-"));
      folders.push(folder);
      const file = join(folder, "doctor.json");
      expect((await doctor("--write-baseline", file, "--fail-on", "warning")).code).toBe(0);
      const baseline = await doctor("--baseline", file, "--fail-on", "warning", "--json");
      expect(baseline.code).toBe(0);
      expect(JSON.parse(baseline.stdout)).toMatchObject({
        findings: [],
        ignored: [{ key: "table-without-key/fault/shop.item", fix: { statements: expect.any(Array) } }],
      });

      const key = "table-without-key/fault/shop.item";
      const ignoring = await doctor("--ignore", key, "--fail-on", "warning", "--json");
      expect(ignoring.code).toBe(0);
      expect(JSON.parse(ignoring.stdout)).toMatchObject({ findings: [], ignored: [{ key, reason: "--ignore" }] });
      const scanned = await doctor("--sarif");
      expect(scanned.code).toBe(4);
      expect(JSON.parse(scanned.stdout)).toMatchObject({
        version: "2.1.0",
        runs: [
          {
            results: expect.arrayContaining([
              expect.objectContaining({ ruleId: "table-without-key", level: "warning" }),
              expect.objectContaining({ ruleId: "unused-index", kind: "open" }),
            ]),
          },
        ],
      });
    } finally {
      await run(["drop schema shop cascade"]);
    }
  });

  it("refuses an unknown check before it connects", async () => {
    const { code, stderr } = await doctor("--only", "table-without-keys");
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean "table-without-key"?');
  });
});
