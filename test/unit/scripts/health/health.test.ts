import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { History, statementDaysOf } from "../../../../scripts/health/history.ts";
import { judge } from "../../../../scripts/health/judge.ts";
import { ratesBetween, statementGrowth } from "../../../../scripts/health/rates.ts";
import { databaseView } from "../../../../scripts/health/server/views.ts";
import { defaultSettings, settingsFromEnvironment } from "../../../../scripts/health/settings.ts";
import { type PartName, type PartValues, partNames, type Snapshot } from "../../../../scripts/health/snapshot.ts";
import { cachedStackPart, readStackPart } from "../../../../scripts/health/stack-part.ts";
import { durationMs } from "../../../../scripts/model/health-settings.ts";

const start = Date.parse("2026-01-01T00:00:00Z");
const at = (seconds: number) => new Date(start + seconds * 1_000);

const server: PartValues<"server"> = {
  ...{ version: "17.1", startedAt: at(-1_000), database: "shop", role: "primary", isWritable: true },
  ...{ systemIdentifier: "7", timeline: 1, certificateExpiresAt: null },
};
const others = { statements: 0, calls: 0, totalMs: 0 };

const activity = (commits: number, countedSince = at(-500)): PartValues<"activity"> => ({
  ...{
    commits,
    rollbacks: 0,
    blocksHit: 9 * commits,
    blocksRead: commits,
    temporaryBytes: 0,
    deadlocks: 0,
    countedSince,
  },
});

/** A snapshot in which only the given parts are known. */
function snapshot(seconds: number, values: Partial<Record<PartName, unknown>>): Snapshot {
  const parts = partNames.map((name) => [
    name,
    name in values ? { known: true, value: values[name] } : { known: false, reason: "not in this test" },
  ]);
  const known = Object.fromEntries(parts) as Snapshot["parts"];
  return {
    takenAt: at(seconds),
    durationMs: 1,
    parts: known,
    databases: { shop: { migrations: known.migrations, tables: known.tables } },
  };
}

const none = ratesBetween(undefined, snapshot(0, {}));

describe("rates", () => {
  const before = snapshot(0, { server, activity: activity(100) });

  it("are the growth of counters between two snapshots of one server", () => {
    const rates = ratesBetween(before, snapshot(10, { server, activity: activity(200) }));
    expect(rates).toEqual({ ...none, transactionsPerSecond: 10, cacheHitRatio: 0.9 });
  });

  it.each([
    ["a restart", { server: { ...server, startedAt: at(5) }, activity: activity(200) }],
    ["a failover", { server: { ...server, timeline: 2 }, activity: activity(200) }],
    ["another cluster", { server: { ...server, systemIdentifier: "8" }, activity: activity(200) }],
    ["a reset of statistics", { server, activity: activity(200, at(5)) }],
    ["a counter that went back", { server, activity: activity(50) }],
    ["a part that could not be read", { server }],
  ])("are not known after %s", (_, values) => {
    expect(ratesBetween(before, snapshot(10, values)).transactionsPerSecond).toBe(null);
  });
});

it("the use of a statement is that between two snapshots which both contain it", () => {
  const statements = (calls: number, ...ids: string[]) => ({
    ...{ calls, totalMs: 1, slow: 0, hidden: 0, others, countedSince: null },
    top: ids.map((id) => ({ id, calls, totalMs: 10 * calls, meanMs: 10 })),
  });
  const before = snapshot(0, { server, statements: statements(5, "1", "2") });
  const after = (calls: number, change = {}) =>
    statementGrowth(before, snapshot(1, { server: { ...server, ...change }, statements: statements(calls, "1", "3") }));
  expect(after(8)).toEqual([{ id: "1", calls: 3, totalMs: 30 }]);
  expect(after(4)).toEqual([]);
  expect(after(8, { startedAt: at(0) })).toEqual([]);
});

describe("the state of a server", () => {
  const connections = (percent: number) => ({ total: percent, maximum: 100, percent });
  const level = (values: Parameters<typeof snapshot>[1]) => judge(snapshot(0, values), none, defaultSettings).level;

  it.each([
    ["ok", 69.9],
    ["warning", 70],
    ["warning", 89.9],
    ["critical", 90],
  ])("is %s with %d % of the connections used", (expected, percent) => {
    expect(level({ server, connections: connections(percent) })).toBe(expected);
  });

  it.each([
    ["ok", 79.9],
    ["warning", 80],
    ["warning", 94.9],
    ["critical", 95],
  ])("is %s with %d % of the disk used", (expected, diskPercent) => {
    expect(level({ server, connections: connections(1), host: { diskPercent, diskFreeBytes: 1 } })).toBe(expected);
  });

  it.each([
    ["ok", 999],
    ["warning", 1_000],
    ["warning", 4_999],
    ["critical", 5_000],
  ])("is %s with %d ms for a statement on average", (expected, totalMs) => {
    const statements = { calls: 1, totalMs, slow: 0, hidden: 0, top: [], others, countedSince: null };
    expect(level({ server, connections: connections(1), statements })).toBe(expected);
  });

  it("is unknown if a required subject is unknown, and not if another one is", () => {
    expect(level({ server })).toBe("unknown");
    expect(level({ server, connections: connections(1) })).toBe("ok");
  });

  it("is critical if the server cannot be reached", () => {
    const { level: found, subjects } = judge({ ...snapshot(0, {}), unreachable: "no route" }, none, defaultSettings);
    expect(found).toBe("critical");
    expect(subjects[0]).toEqual({ name: "server", level: "critical", detail: "no route" });
  });

  it.each([
    ["ok", 14],
    ["warning", 13.9],
    ["warning", 2],
    ["critical", 1.9],
    ["critical", -1],
  ])("is %s if the server's certificate ends in %d days", (expected, days) => {
    const certificateExpiresAt = at(days * 86_400);
    const values = { server: { ...server, certificateExpiresAt }, connections: connections(1) };
    const { level: found, subjects } = judge(snapshot(0, values), none, defaultSettings);
    expect(found).toBe(expected);
    const said = subjects[0]?.detail.includes(`its certificate ends at ${certificateExpiresAt.toISOString()}`);
    expect(said).toBe(expected !== "ok");
  });

  const waits = (longestWaitSeconds: number) => ({ waiting: 1, longestWaitSeconds, blockers: [] });
  const age = (value: number) => ({ database: "shop", age: value, autovacuumAge: 200_000_000 });
  const slot = (change: object) => ({
    ...{ standbys: [], isReceiving: null, replayedSecondsAgo: null },
    slots: [{ name: "s", isActive: false, state: "reserved", retainedBytes: 1024 ** 3, ...change }],
  });
  const standby = (isReceiving: boolean) => ({ standbys: [], slots: [], isReceiving, replayedSecondsAgo: 1 });
  it.each<[string, string, PartName, unknown]>([
    ["ok", "locks", "locks", waits(29.9)],
    ["warning", "locks", "locks", waits(30)],
    ["warning", "locks", "locks", waits(299.9)],
    ["critical", "locks", "locks", waits(300)],
    ["ok", "freeze", "freeze", age(249_999_999)],
    ["warning", "freeze", "freeze", age(250_000_000)],
    ["warning", "freeze", "freeze", age(1_499_999_999)],
    ["critical", "freeze", "freeze", age(1_500_000_000)],
    ["ok", "replication", "replication", slot({})],
    ["warning", "replication", "replication", slot({ retainedBytes: 1024 ** 3 + 1 })],
    ["ok", "replication", "replication", slot({ retainedBytes: 1024 ** 4, isActive: true })],
    ["critical", "replication", "replication", slot({ state: "lost" })],
    ["critical", "replication", "replication", slot({ state: "unreserved" })],
    ["ok", "replication", "replication", standby(true)],
    ["critical", "replication", "replication", standby(false)],
  ])("is %s with a value of %s near its limit (%#)", (expected, name, part, value) => {
    const { subjects } = judge(snapshot(0, { [part]: value }), none, defaultSettings);
    expect(subjects.find((each) => each.name === name)?.level).toBe(expected);
  });

  it("says how many statements are hidden, and is not well because of it", () => {
    const statements = { calls: 1, totalMs: 1, slow: 0, hidden: 3, top: [], others, countedSince: null };
    const { subjects } = judge(snapshot(0, { server, statements }), none, defaultSettings);
    expect(subjects.find(({ name }) => name === "queries")).toEqual({
      ...{
        name: "queries",
        level: "unknown",
        detail: expect.stringContaining("3 statements of other roles are hidden"),
      },
    });
  });
});

describe("the state of jobs", () => {
  const at = "2026-01-01T03:00:00.000Z";
  const job = {
    ...{ database: "shop", name: "tidy", schedule: "0 3 * * *", active: true, failed: false, overdueSeconds: 0 },
    ...{ startedAt: at, endedAt: at, message: null },
  };
  const of = (jobs: object[] | null, runner = "command") => {
    const value = jobs && { runner, jobs: jobs.map((changed) => ({ ...job, ...changed })) };
    return judge(snapshot(0, { jobs: value }), none, defaultSettings).subjects.find(({ name }) => name === "jobs");
  };

  it("is well if the last runs succeeded and none is overdue", () => {
    expect(of([{}, { startedAt: null }])).toEqual({ name: "jobs", level: "ok", detail: `2 declared, last run ${at}` });
  });

  it.each([
    ["warning", "shop: tidy (failed)", { failed: true }],
    ["warning", "shop: tidy (overdue)", { overdueSeconds: 1 }],
    ["warning", "shop: tidy (stopped)", { active: false }],
    ["unknown", "shop: tidy (unknown)", { failed: null, overdueSeconds: null }],
  ])("is %s with %s", (level, text, changed) => {
    expect(of([{}, changed])).toEqual({
      ...{ name: "jobs", level, detail: `2 declared, last run ${at}; ${text}: see jobs list` },
    });
  });

  it("is not applicable without jobs, and if nothing runs them on a server without pg_cron", () => {
    expect(of(null)).toMatchObject({ level: "not-applicable", detail: "no jobs are declared" });
    expect(of([{ startedAt: null }])).toMatchObject({
      level: "not-applicable",
      detail: expect.stringContaining("none has run yet: schedule `jobs run --due`"),
    });
    expect(of([{ startedAt: null }], "pg_cron")).toMatchObject({ level: "ok" });
  });

  it("is unknown if it was not read", () => {
    const { subjects } = judge(snapshot(0, { server }), none, defaultSettings);
    expect(subjects.find(({ name }) => name === "jobs")?.level).toBe("unknown");
  });
});

describe("the state of backups", () => {
  const last = { label: "20260101-000000F", type: "full", finishedAt: "2026-01-01T00:00:00.000Z", ageSeconds: 60 };
  const well = {
    source: "repository",
    ...{ last, lastFull: last, restorableFrom: last.finishedAt, lastArchivedAt: "2026-01-01T00:01:00.000Z" },
    ...{ failedRuns: [], underWay: false, findings: [] as { level: string; text: string }[] },
  };
  const of = (value: unknown) =>
    judge(snapshot(0, { backups: value }), none, defaultSettings).subjects.find(({ name }) => name === "backups");

  it("is well with a backup, WAL that is archived, and no finding", () => {
    expect(of(well)).toEqual({
      name: "backups",
      level: "ok",
      detail:
        "last full 2026-01-01T00:00:00.000Z; restores from 2026-01-01T00:00:00.000Z, WAL archived until 2026-01-01T00:01:00.000Z",
    });
  });

  it.each([
    ["critical", "no backup", { last: null, lastFull: null, restorableFrom: null }],
    [
      "critical",
      "ended with 1",
      { findings: [{ level: "wrong", text: "The last backup of type full ended with 1." }] },
    ],
    ["unknown", "not been scanned", { findings: [{ level: "unknown", text: "It has not been scanned yet." }] }],
    ["unknown", "until unknown", { lastArchivedAt: null }],
  ])("is %s with %s", (level, detail, change) => {
    expect(of({ ...well, ...change })).toMatchObject({ level, detail: expect.stringContaining(detail) });
  });

  it("is not applicable to a stack without, and unknown if it was not read", async () => {
    expect(of(null)).toMatchObject({ level: "not-applicable" });
    const { subjects, level } = judge(snapshot(0, { server }), none, defaultSettings, ["server", "backups"]);
    expect([level, subjects.find(({ name }) => name === "backups")?.level]).toEqual(["unknown", "unknown"]);
    expect(await readStackPart(undefined)).toEqual({ known: false, reason: expect.stringContaining("--stack") });
  });

  it("is read once for readers at the same time, and again at once if it was not known", async () => {
    let calls = 0;
    let known = false;
    const read = cachedStackPart(async () => {
      calls++;
      return known ? { known: true, value: null } : { known: false, reason: "no answer" };
    });
    expect((await Promise.all([read(), read()])).map((state) => state.known)).toEqual([false, false]);
    expect(calls).toBe(1);
    known = true;
    expect((await read()).known).toBe(true);
    await read();
    expect(calls).toBe(2);
  });
});

describe("the state of archiving", () => {
  const working = {
    ...{
      archive: "working",
      lastArchivedAt: at(0),
      lastArchiveFailureAt: null,
      waitingSegments: 0,
      waitingSeconds: null,
    },
  };
  const levelOf = (change: object) =>
    judge(snapshot(0, { wal: { ...working, ...change } }), none, defaultSettings).subjects.find(
      ({ name }) => name === "archive",
    )?.level;

  it.each([
    ["ok", {}],
    ["ok", { archive: "off", waitingSegments: null }],
    ["ok", { waitingSegments: 1, waitingSeconds: 300 }],
    ["critical", { waitingSegments: 1, waitingSeconds: 300.1 }],
    ["critical", { archive: "failing" }],
    ["unknown", { waitingSegments: null }],
  ])("is %s with %j", (level, change) => {
    expect(levelOf(change)).toBe(level);
  });
});

describe("the answer for load balancers", () => {
  const probe = { at: at(0), responseMs: 2, answers: true, role: "primary", isWritable: true, maximum: 100 } as const;
  const view = (change: object, role: string | null = null) =>
    databaseView({ ...probe, connections: 5, ...change }, defaultSettings, role);

  it.each([
    [200, "healthy", {}],
    [200, "warning", { connections: 89 }],
    [503, "critical", { connections: 90 }],
    [503, "critical", { isWritable: false }],
    [200, "healthy", { isWritable: false, role: "replica" }],
  ])("is %d, %s", (status, state, change) => {
    expect(view(change)).toMatchObject({ status, body: { status: state } });
  });

  it("is 503 if another role is wanted", () => {
    expect(view({}, "replica").status).toBe(503);
    expect(view({}, "primary").status).toBe(200);
  });
});

describe("settings", () => {
  it.each([
    ["30s", 1_000, 30_000],
    ["5m", 1_000, 300_000],
    ["30", 1_000, 30_000],
    ["250", 1, 250],
    ["1.5s", 1, 1_500],
    ["250ms", 1_000, 250],
    ["-1", 1, undefined],
    ["soon", 1, undefined],
  ])("read %s as a duration", (text, unit, expected) => {
    expect(durationMs(text, unit)).toBe(expected);
  });

  it("come from the environment, all faults at once", () => {
    const env = { MONITORING_INTERVAL: "1m", SLOW_QUERY_THRESHOLD: "500", MAX_METRICS_STORED: "10" };
    expect(settingsFromEnvironment(env)).toMatchObject({ intervalMs: 60_000, slowQueryMs: 500, maxStored: 10 });
    const pairs = { QUERY_TIME_LIMITS: "500ms, 2s", CONNECTION_LIMITS: "50,60.5", STORAGE_LIMITS: "10,10" };
    expect(settingsFromEnvironment(pairs)).toEqual({
      ...defaultSettings,
      queryMs: { warning: 500, critical: 2_000 },
      connectionPercent: { warning: 50, critical: 60.5 },
      storagePercent: { warning: 10, critical: 10 },
    });
    for (const text of ["90,70", "70", "70,90,95", "70,101", "0,90", "a,b"])
      expect(() => settingsFromEnvironment({ STORAGE_LIMITS: text }), text).toThrow(/STORAGE_LIMITS is /);
    expect(() => settingsFromEnvironment({ MONITORING_INTERVAL: "0", MAX_METRICS_STORED: "1e9" })).toThrow(
      /MONITORING_INTERVAL is "0".*\nMAX_METRICS_STORED is "1e9"/,
    );
  });
});

describe("the history", () => {
  const observation = (hours: number) => {
    const taken = snapshot(hours * 3_600, { server });
    return {
      snapshot: taken,
      rates: none,
      status: judge(taken, none, defaultSettings),
      statements: [{ id: "7", calls: 2, totalMs: 3 }],
    };
  };
  const folder = async () => {
    const made = await mkdtemp(join(tmpdir(), "history-"));
    onTestFinished(() => rm(made, { recursive: true }));
    return made;
  };

  it("keeps the newest entries, also after a restart", async () => {
    const path = join(await folder(), "history.json");
    const first = new History(path, 3);
    for (const hour of [0, 1, 2, 3]) first.add(observation(hour), true);
    const second = new History(path, 3);
    expect(second.entries).toEqual(first.entries);
    expect(statementDaysOf(readFileSync(path, "utf8"))).toEqual([
      { day: at(0).getTime() / 86_400_000, id: "7", calls: 8, totalMs: 12 },
    ]);
    expect(second.entries.map((entry) => entry.at)).toEqual([1, 2, 3].map((hour) => at(hour * 3_600).toISOString()));
  });

  it("knows the uptime after 24 hours: the share of answered probes of 30 days", () => {
    const history = new History(undefined, 3);
    for (let hour = 0; hour < 23; hour++) history.add(observation(hour), true);
    expect(history.uptime(at(23 * 3_600))).toBe(null);
    history.add(observation(23), false);
    expect(history.uptime(at(23 * 3_600))).toBeCloseTo(23 / 24);
    expect(history.uptime(at(31 * 86_400))).toBe(null);
  });

  it("knows since when a subject has had a warning, or worse, without a break", () => {
    const history = new History(undefined, 10);
    const add = (hour: number, level: "ok" | "warning" | "critical") => {
      const each = observation(hour);
      const subjects = [{ name: "locks", level, detail: "" }];
      history.add({ ...each, status: { level, subjects } }, true);
    };
    const since = (name: string) => history.troubledSince({ name });
    for (const [hour, level] of (["warning", "ok", "warning", "critical"] as const).entries()) add(hour, level);
    expect(since("locks")).toBe(at(2 * 3_600).toISOString());
    expect(since("server")).toBeNull();
    add(4, "ok");
    expect(since("locks")).toBeNull();
  });

  it("keeps the space of each hour, also after a restart", async () => {
    const path = join(await folder(), "history.json");
    const history = new History(path, 1);
    const withSizes = (hour: number, total: number) => {
      const taken = snapshot(hour * 3_600, { server, sizes: { databases: {}, total, hidden: [] } });
      return { ...observation(hour), snapshot: taken };
    };
    for (const [hour, total] of [
      [0, 5],
      [0.5, 6],
      [1, 7],
    ] as const)
      history.add(withSizes(hour, total), true);
    const first = at(0).getTime() / 3_600_000;
    expect(new History(path, 1).space).toEqual([
      { hour: first, diskFreeBytes: null, databaseBytes: 6 },
      { hour: first + 1, diskFreeBytes: null, databaseBytes: 7 },
    ]);
  });

  it("begins again if its file is damaged, and keeps that file", async () => {
    const path = join(await folder(), "history.json");
    await writeFile(path, '{"version":1,"hours":');
    const history = new History(path, 3);
    expect(history.entries).toEqual([]);
    history.add(observation(0), true);
    expect(existsSync(`${path}.damaged`)).toBe(true);
    expect(new History(path, 3).entries).toHaveLength(1);
  });
});
