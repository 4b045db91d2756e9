import { describe, expect, it } from "vitest";
import { statusPage } from "../../../../../scripts/health/server/page.ts";
import type { PageFacts } from "../../../../../scripts/health/server/page-sections.ts";
import { type PartName, partNames, type Snapshot } from "../../../../../scripts/health/snapshot.ts";

const takenAt = "2026-01-01T00:00:00.000Z";
const markup = `"><script>alert(1)</script>`;

const metrics = {
  ...{ status: "ok" as const, up: true, takenAt, subjects: [] },
  ...{ connections: null, sessions: null, uptime: null },
  queries: { avgQueryTime: null, slowQueries: null, cacheHitRatio: null, transactionsPerSecond: null },
  storage: { databaseBytes: null, diskFreeBytes: null, diskPercent: null },
  replication: { standbys: null, maximumLagBytes: null, receiving: null },
};

describe("the status page", () => {
  /** Renders the sections of a snapshot with these parts; others are not known. */
  const page = (values: Partial<Record<PartName, unknown>>, more: Partial<PageFacts> = {}, subjects: object[] = []) => {
    const parts = Object.fromEntries(
      partNames.map((name) => [
        name,
        name in values ? { known: true, value: values[name] } : { known: false, reason: `${name} was not read` },
      ]),
    ) as Snapshot["parts"];
    const forecast = { kind: "unknown", reason: "it is new" } as const;
    const databases = { shop: { migrations: parts.migrations, tables: parts.tables } };
    const facts = { parts, databases, unreachable: undefined, space: [], forecast, ...more };
    return statusPage({ ...metrics, subjects: subjects as typeof metrics.subjects }, facts, "1.0.0");
  };

  it("says since when a subject has had a warning", () => {
    const html = page({}, {}, [{ name: "locks", level: "warning", detail: "2 wait", since: takenAt }]);
    expect(html).toContain(`<td><time datetime="${takenAt}">${takenAt}</time></td><td>2 wait</td>`);
  });

  it("names in its heading what is not known, next to a state that does not depend on it", () => {
    const ok = { name: "locks", level: "ok", detail: "", since: null };
    expect(page({}, {}, [ok])).toContain('<h1>Database: <span class="ok">ok</span></h1>');
    const unknown = { name: "migrations", level: "unknown", detail: "", since: null };
    const html = page({}, {}, [ok, { ...unknown, name: "backups" }, { ...unknown, database: markup }]);
    const named = "not known: backups, migrations (&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;)";
    expect(html).toContain(`<span class="ok">ok</span>, <span class="unknown">${named}</span></h1>`);
    expect(html).toContain(`<title>ok (${named}): database</title>`);
  });

  it("shows all names of the server as text", () => {
    const blocker = { pid: 7, role: markup, application: markup, database: markup, waiting: 1, longestWaitSeconds: 2 };
    const html = page(
      {
        locks: { waiting: 1, longestWaitSeconds: 2, blockers: [blocker] },
        sizes: { databases: { [markup]: 1 }, total: 1, hidden: [markup] },
        migrations: {
          ...{ hasLedger: true, applied: 1, begun: 0, lastFile: markup, lastAt: null },
          ...{ pending: [markup], problems: [markup] },
        },
        operations: {
          deploys: [{ number: 1, at: takenAt, outcome: "done", changes: 2, commit: markup, user: markup }],
          ...{ lastDrill: null, lastPassedDrill: null },
        },
      },
      {},
      [{ name: "locks", level: "ok", detail: markup, since: null }],
    );
    expect(html).not.toContain("<script");
    expect(html.split("&quot;&gt;&lt;script&gt;").length).toBeGreaterThan(8);
  });

  it("shows the sum of the statements that it does not list, if there are any", () => {
    const statement = { id: "77", calls: 4, totalMs: 2_000, meanMs: 500 };
    const values = { calls: 7, totalMs: 5_000, slow: 0, hidden: 0, countedSince: null, top: [statement] };
    const others = { statements: 2, calls: 3, totalMs: 3_000 };
    const row = /<th scope="row">2 others<\/th><td>3<\/td><td>3.0 s<\/td><td>1000.0 ms<\/td>/;
    expect(page({ statements: { ...values, others } })).toMatch(row);
    const none = { statements: 0, calls: 0, totalMs: 0 };
    expect(page({ statements: { ...values, others: none } })).not.toContain(" others");
  });

  it("shows the jobs with their last run, and what is wrong with them", () => {
    const job = { database: "shop", schedule: "0 3 * * *", active: true, failed: false, overdueSeconds: 0 };
    const run = { startedAt: takenAt, endedAt: null, message: "secret" };
    const jobs = [
      { ...job, ...run, name: "tidy", failed: true },
      { ...job, ...run, name: markup, startedAt: null },
    ];
    const html = page({ jobs: { runner: "command", jobs } });
    expect(html).toContain(`<td>0 3 * * *</td><td>failed</td><td>${takenAt}</td>`);
    expect(html).toContain("<td>0 3 * * *</td><td>never run</td><td>none</td>");
    expect(html).not.toMatch(/secret|<script/);
    expect(page({ jobs: null })).toContain("No database declares jobs.");
  });

  it("names the reason of each part that is not known, and shows no values of a server that does not answer", () => {
    const html = page({});
    for (const name of ["sessions", "locks", "statements", "sizes", "migrations", "backups", "jobs", "operations"])
      expect(html).toContain(`Not known: ${name} was not read`);
    const sizes = { databases: { shop: 7 * 1024 ** 2 }, total: 1, hidden: [] };
    expect(page({ sizes })).toContain("<td>7.0 MB</td>");
    const down = page({ sizes }, { unreachable: "connection refused" });
    expect(down).not.toContain("7.0 MB");
    expect(down).toContain("Not known: connection refused");
  });

  it("shows the last drill, the last one that passed and the reasons of a failure", () => {
    const passed = {
      ...{ startedAt: takenAt, outcome: "passed", reasons: [], rtoSeconds: 30, rpoSeconds: null },
      evidence: { number: 3, hash: "abcdef0123456789" },
    };
    const lastDrill = { ...passed, outcome: "failed", reasons: ["a segment is missing"], evidence: null };
    const html = page({ operations: { deploys: [], lastDrill, lastPassedDrill: passed } });
    expect(html).toContain("<td>failed</td><td>30 s</td><td>unknown</td><td>none</td>");
    expect(html).toContain("<td>passed</td><td>30 s</td><td>unknown</td><td>3 abcdef012345</td>");
    expect(html).toContain("<li>a segment is missing</li>");
  });

  it("says when the disk is full, and how much the databases have grown", () => {
    const at = new Date("2026-03-04T05:06:07Z");
    const space = [10, 34].map((hour) => ({ hour, diskFreeBytes: null, databaseBytes: hour * 1024 ** 2 }));
    const html = page({}, { space, forecast: { kind: "full", at, measuredHours: 48 } });
    expect(html).toContain("At the growth in the last 48 hours, the disk is full on 2026-03-04.");
    expect(html).toContain("All databases: 34.0 MB, more by 24.0 MB than 24 hours before.");
  });

  it("shows the free disk and memory of the server's machine, and its load", () => {
    const gigabytes = (count: number) => count * 1024 ** 3;
    const host = {
      ...{ diskBytes: gigabytes(60), diskFreeBytes: gigabytes(20.5), diskPercent: 66 },
      ...{ memoryBytes: gigabytes(8), memoryFreeBytes: gigabytes(3), load: 0.25, processors: 4 },
    };
    expect(page({ host })).toContain(
      "Free on the server&#39;s machine: 20.5 GB of 60.0 GB on the disk of the data directory and 3.0 GB of 8.0 GB of memory. Load: 0.3 on 4 processors.",
    );
  });

  it("counts the rows that it leaves out", () => {
    const databases = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`shop-${index}`, index]));
    expect(page({ sizes: { databases, total: 1, hidden: [] } })).toContain("5 more are not shown.");
  });
});
