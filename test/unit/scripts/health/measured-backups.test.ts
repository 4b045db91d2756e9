import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { drillMetrics } from "../../../../scripts/backup/drill/metrics.ts";
import type { DrillRun } from "../../../../scripts/backup/drill/run.ts";
import { judge } from "../../../../scripts/health/judge.ts";
import { measureBackups, measureOperations } from "../../../../scripts/health/measured-backups.ts";
import { parseMetricFiles, readMetricFiles } from "../../../../scripts/health/metric-files.ts";
import type { Observation } from "../../../../scripts/health/monitor.ts";
import { prometheusText } from "../../../../scripts/health/prometheus.ts";
import { parseSamples } from "../../../../scripts/health/prometheus-samples.ts";
import { ratesBetween } from "../../../../scripts/health/rates.ts";
import { pageSections } from "../../../../scripts/health/server/page-sections.ts";
import { adminHealthView, metricsView } from "../../../../scripts/health/server/views.ts";
import { defaultSettings } from "../../../../scripts/health/settings.ts";
import { partNames, type Snapshot } from "../../../../scripts/health/snapshot.ts";
import type { ExpectedBackups } from "../../../../scripts/model/health-server.ts";

const now = new Date("2026-01-08T00:00:00Z");
const hour = 3_600;
const day = 24 * hour;
const ago = (seconds: number) => now.getTime() / 1_000 - seconds;
const expected: ExpectedBackups = {
  ...{ repositories: 1, intervals: { full: day, incr: 6 * hour } },
  ...{ drillMaxAge: null, dumpMaxAge: null },
};

interface Given {
  full?: number;
  incr?: number;
  scanned?: number;
  wrong?: number;
  unknown?: number;
  measured?: number;
  lag?: number;
  failed?: number;
  repository?: number;
}

/** Writes what repository-scan and archive-lag write. Times are ages in seconds; NaN leaves the sample out. */
function scanned(given: Given = {}): [string, string][] {
  const { full = 20 * hour, incr = 3 * hour, scanned: at = 600, wrong = 0, unknown = 0 } = given;
  const { measured = 30, lag = 0, failed = 0, repository } = given;
  const labels = `stanza="main"${repository === undefined ? "" : `,repository="${repository}"`}`;
  const suffix = repository === undefined ? "" : `-${repository}`;
  const text = (samples: [string, number][]) =>
    samples
      .filter(([, value]) => !Number.isNaN(value))
      .map(([name, value]) => `# TYPE x gauge\npgroundwork_backup_${name} ${value}\n`)
      .join("");
  return [
    [
      `backup-scan${suffix}.prom`,
      text([
        [`last_completion_timestamp_seconds{${labels},type="full"}`, ago(full)],
        [`last_completion_timestamp_seconds{${labels},type="incr"}`, ago(incr)],
        [`scan_timestamp_seconds{${labels}}`, ago(at)],
        [`scan_findings{${labels},level="wrong"}`, wrong],
        [`scan_findings{${labels},level="unknown"}`, unknown],
        [`failed_runs{${labels},type="incr"}`, failed],
      ]),
    ],
    [
      `archive-lag${suffix}.prom`,
      text([
        [`archive_measured_timestamp_seconds{${labels}}`, ago(measured)],
        [`archive_lag_seconds{${labels}}`, lag],
        [`archive_waiting_segments{${labels}}`, lag > 0 ? 7 : 0],
      ]),
    ],
  ];
}

const measured = (files: [string, string][], limits: Partial<ExpectedBackups> = {}) =>
  measureBackups(parseMetricFiles(files), { ...expected, ...limits }, ["shop", "crm"], now);

/** A snapshot in which only these parts are known. */
function snapshot(values: { backups?: unknown; operations?: unknown }): Snapshot {
  const parts = partNames.map((name) => [
    name,
    name in values
      ? { known: true, value: values[name as keyof typeof values] }
      : { known: false, reason: "not in this test" },
  ]);
  return { takenAt: now, durationMs: 1, parts: Object.fromEntries(parts), databases: {} };
}

/** Returns level and text of the subject. */
function judged(files: [string, string][], limits?: Partial<ExpectedBackups>): [string | undefined, string] {
  const taken = snapshot({ backups: measured(files, limits) });
  const { subjects } = judge(taken, ratesBetween(undefined, taken), defaultSettings);
  const found = subjects.find(({ name }) => name === "backups");
  return [found?.level, found?.detail ?? ""];
}

describe("samples in Prometheus's text format", () => {
  it("have a name, labels with escapes and a number", () => {
    const text = '# HELP a x\na 1\nb{c="d\\"e\\\\n\\n",f="g,h=}"} -2.5e3\n\n';
    expect(parseSamples(text)).toEqual([
      { name: "a", labels: {}, value: 1 },
      { name: "b", labels: { c: 'd"e\\n\n', f: "g,h=}" }, value: -2_500 },
    ]);
    expect(parseSamples("# nothing\n")).toEqual([]);
  });

  it.each([
    ["a value that is no number", "a 1\nb x\n", "line 2"],
    ["a value that is not finite", "a NaN\n", "line 1"],
    ["an infinite value", "a +Inf\n", "line 1"],
    ["a value that is too large", "a 1e999\n", "line 1"],
    ["no value", "a\n", "line 1"],
    ["a timestamp", "a 1 1767225600000\n", "line 1"],
    ["a label without quotes", "a{b=c} 1\n", "line 1"],
    ["an end that was cut off", "a 1\nb 2", "its end is missing"],
    ["no content", "", "its end is missing"],
  ])("are refused with %s", (_, text, message) => {
    expect(() => parseSamples(text)).toThrow(message);
  });

  it("are read from all files of a folder, and a file with a fault does not hide the others", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pgw-metrics-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    expect(await readMetricFiles(folder)).toEqual({ known: true, samples: [], faults: [] });
    await writeFile(join(folder, "a.prom"), 'a{b="1",c="2"} 1\n');
    await writeFile(join(folder, "a.prom.new"), "x");
    await writeFile(join(folder, "b.prom"), 'b 1\na{c="2",b="1"} 2\n');
    await writeFile(join(folder, "c.prom"), "c 3\n");
    expect(await readMetricFiles(folder)).toMatchObject({
      known: true,
      samples: [{ name: "a", value: 1 }, { name: "c" }],
      faults: [expect.stringMatching(/^b\.prom: it repeats the sample a/)],
    });
    await mkdir(join(folder, "d.prom"));
    expect(await readMetricFiles(folder)).toMatchObject({ known: false, reason: expect.stringContaining("EISDIR") });
    const absent = await readMetricFiles(join(folder, "absent"));
    expect(absent).toMatchObject({ known: false, reason: expect.stringContaining("ENOENT") });
  });
});

describe("the state of backups, by the metrics of their container", () => {
  it("is ok with recent backups, a recent scan without findings, and a current WAL archive", () => {
    expect(judged(scanned())).toEqual([
      "ok",
      "last incr 2026-01-07T21:00:00.000Z; last full 2026-01-07T04:00:00.000Z; WAL archived until 2026-01-07T23:59:30.000Z",
    ]);
  });

  // Just below each limit, and just above.
  it.each<[string, Given, string, Given, string]>([
    ["a full backup", { full: 2 * day }, "critical", { full: 2 * day + 2 }, "The last full backup"],
    ["a backup", { incr: 12 * hour }, "critical", { incr: 12 * hour + 2 }, "The last backup"],
    ["a scan", { scanned: 2 * hour }, "unknown", { scanned: 2 * hour + 2 }, "last scanned 2 h ago"],
    ["a scan in the future", { scanned: -300 }, "unknown", { scanned: -302 }, "last scanned in the future"],
    ["a measured archive", { measured: 300 }, "unknown", { measured: 302 }, "it was last measured 5 min ago"],
    ["a measurement in the future", { measured: -300 }, "unknown", { measured: -302 }, "measured in the future"],
    ["the lag of the archive", { lag: 300 }, "critical", { lag: 301 }, "was 5 min behind the server 30 s ago, and 7"],
    ["a backup in the future", { incr: -300 }, "critical", { incr: -302 }, "The time of the last incr backup"],
    ["problems of the scan", { wrong: 0 }, "critical", { wrong: 1 }, "found 1 problem (scanned 10 min ago)"],
    ["the last run of a type", { failed: 0 }, "critical", { failed: 1 }, "The last backup run of type incr failed"],
    ["a scan without an answer", { unknown: 0 }, "unknown", { unknown: 1 }, "could not tell its state"],
  ])("depends on %s", (_, near, level, beyond, text) => {
    expect(judged(scanned(near))[0]).toBe("ok");
    expect(judged(scanned(beyond))).toEqual([level, expect.stringContaining(text)]);
  });

  it.each<[string, string, Given | undefined, string]>([
    ["unknown", "no metrics at all", undefined, "has not been scanned yet"],
    ["unknown", "no scan", { scanned: Number.NaN }, "has not been scanned yet"],
    ["unknown", "no number of problems", { wrong: Number.NaN }, "could not tell its state"],
    ["unknown", "no number of answers", { unknown: Number.NaN }, "could not tell its state"],
    ["unknown", "no measurement of the archive", { measured: Number.NaN }, "it has not been measured yet"],
    ["unknown", "no lag", { lag: Number.NaN }, "it has not been measured yet"],
    ["critical", "no full backup", { full: Number.NaN }, "There is no full backup that can be restored."],
    ["critical", "no backup", { full: Number.NaN, incr: Number.NaN }, "There is no backup that can be restored."],
    [
      "unknown",
      "a scan without an answer, which names no backup",
      { full: Number.NaN, incr: Number.NaN, unknown: 1 },
      "no backup is known",
    ],
    [
      "unknown",
      "an old scan that found no backup",
      { full: Number.NaN, incr: Number.NaN, scanned: day },
      "no backup is known",
    ],
    ["critical", "problems in an old scan", { wrong: 2, scanned: day }, "found 2 problems (scanned 24 h ago)"],
  ])("is %s with %s", (level, _, given, text) => {
    expect(judged(given === undefined ? [] : scanned(given))).toEqual([level, expect.stringContaining(text)]);
  });

  it("is unknown if a file is damaged, or if the schedule has no interval", () => {
    const [scan = ["", ""], lag = ["", ""]] = scanned();
    expect(judged([scan, ["archive-lag.prom", lag[1].slice(0, -1)]])).toEqual([
      "unknown",
      expect.stringContaining("archive-lag.prom: its end is missing"),
    ]);
    expect(judged(scanned(), { intervals: null })).toEqual([
      "unknown",
      expect.stringContaining("The interval between backups is not known."),
    ]);
    // A date that JavaScript does not have.
    expect(judged(scanned({ incr: -1e30 }))[0]).toBe("critical");
  });

  it("judges each of two repositories, and names the newest backup of both", () => {
    const second = (given: Given = {}) => [...scanned(), ...scanned({ ...given, repository: 2 })];
    const two = { repositories: 2 };
    expect(judged(second(), two)[0]).toBe("ok");
    expect(judged(scanned(), two)).toEqual([
      "unknown",
      expect.stringContaining("The backup repository 2 has not been scanned yet."),
    ]);
    expect(judged(second({ incr: day, full: day }), two)).toEqual([
      "critical",
      expect.stringContaining("The last backup in repository 2, 2026-01-07T00:00:00.000Z, is 24 h old"),
    ]);
    expect(judged(second({ lag: 600 }), two)[1]).toContain("The WAL archive in repository 2 was 10 min behind");
    expect(measured(second({ incr: hour }), two)).toMatchObject({
      last: { repository: 2, type: "incr", finishedAt: "2026-01-07T23:00:00.000Z", ageSeconds: hour },
      lastFull: { repository: 1 },
      failedRuns: [],
      repositories: [{ number: 1 }, { number: 2, archivedUntil: "2026-01-07T23:59:30.000Z" }],
    });
    // A repository that the stack does not have any more is not judged.
    expect(judged(second({ wrong: 1 }))[0]).toBe("ok");
  });

  it("judges scheduled dumps of each database", () => {
    const dumps = (shop: number, crm: number, failed = 0, damaged = 0): [string, string] => [
      "dumps.prom",
      [
        ["last_completion_timestamp_seconds", "shop", ago(shop)] as const,
        ["last_completion_timestamp_seconds", "crm", ago(crm)] as const,
        ["failed", "shop", 0] as const,
        ["failed", "crm", failed] as const,
      ]
        .filter(([, , value]) => !Number.isNaN(value))
        .map(([name, database, value]) => `pgroundwork_dump_${name}{database="${database}"} ${value}\n`)
        .join("")
        .concat(`pgroundwork_dump_damaged ${damaged}\n`),
    ];
    const of = (...given: Parameters<typeof dumps>) => judged([...scanned(), dumps(...given)], { dumpMaxAge: 2 * day });
    expect(of(2 * day, 60)[0]).toBe("ok");
    expect(of(2 * day + 2, 60)).toEqual(["critical", expect.stringContaining("scheduled dump of shop")]);
    expect(of(60, -302)).toEqual(["critical", expect.stringContaining("is in the future")]);
    expect(of(60, Number.NaN)).toEqual(["critical", expect.stringContaining("no intact scheduled dump of crm")]);
    expect(of(60, 60, 1)).toEqual(["critical", expect.stringContaining("The last scheduled dump of crm failed.")]);
    expect(of(60, 60, 0, 1)).toEqual(["critical", expect.stringContaining("Damaged scheduled dumps: 1.")]);
    const missing = judged(scanned(), { dumpMaxAge: day });
    expect(missing).toEqual(["unknown", expect.stringContaining("No scheduled dump has been made yet.")]);
    expect(judged([...scanned(), dumps(9 * day, 9 * day, 1, 1)])[0]).toBe("ok");
  });
});

const run = (seconds: number, outcome: DrillRun["outcome"], more: Partial<DrillRun> = {}): DrillRun => ({
  ...{ startedAt: new Date(ago(seconds) * 1_000).toISOString(), seconds: 60, outcome, reasons: [], missed: [] },
  ...{ rtoSeconds: 30, rpoSeconds: 5, evidence: { number: 3, hash: "abcdef" }, ...more },
});
const drilled = (last: DrillRun, lastConclusive: DrillRun | null, lastPassed: DrillRun | null): [string, string] => [
  "drill.prom",
  drillMetrics({ last, lastConclusive, lastPassed }),
];

describe("restore drills, by their metrics", () => {
  const of = (...files: [string, string][]) => judged([...scanned(), ...files], { drillMaxAge: 45 * day });
  const passed = run(45 * day, "passed");
  const failed = run(day, "failed", { missed: ["RTO"], rtoSeconds: null, evidence: null });
  const blocked = run(hour, "could not run", { rtoSeconds: null, rpoSeconds: null });

  it("are part of the state of backups if they are planned", () => {
    expect(of(drilled(passed, passed, passed))[0]).toBe("ok");
    expect(of(drilled(blocked, passed, passed))[0]).toBe("ok");
    const late = run(45 * day + 2, "passed");
    expect(of(drilled(late, late, late))).toEqual(["critical", expect.stringContaining("at most 45 days are allowed")]);
    const future = run(-302, "passed");
    expect(of(drilled(future, future, future))).toEqual(["unknown", expect.stringContaining("in the future")]);
    expect(of(drilled(failed, failed, passed))).toEqual([
      "critical",
      expect.stringContaining("has failed: it missed RTO."),
    ]);
    expect(of(drilled(blocked, null, null))).toEqual([
      "unknown",
      expect.stringContaining("No restore drill has given"),
    ]);
    expect(of()).toEqual(["unknown", expect.stringContaining("No restore drill has been made.")]);
    expect(judged([...scanned(), drilled(failed, failed, null)])[0]).toBe("ok");
  });

  it("are shown with what the metrics have of them, and no more", () => {
    const operations = (...files: [string, string][]) => measureOperations(parseMetricFiles(files), now);
    expect(operations()).toEqual({ deploys: null, lastDrill: null, lastPassedDrill: null });
    const { seconds: _, missed: __, ...value } = passed;
    const both = { deploys: null, lastDrill: value, lastPassedDrill: value };
    expect(operations(drilled(passed, passed, passed))).toEqual(both);
    expect(operations(drilled(failed, failed, passed))).toEqual({
      deploys: null,
      lastDrill: {
        ...{ startedAt: failed.startedAt, outcome: "failed", reasons: null },
        ...{ rtoSeconds: null, rpoSeconds: 5, evidence: null },
      },
      lastPassedDrill: {
        ...{ startedAt: passed.startedAt, outcome: "passed", reasons: [] },
        ...{ rtoSeconds: null, rpoSeconds: null },
      },
    });
    expect(operations(drilled(blocked, passed, passed))).toMatchObject({
      lastDrill: { outcome: "could not run", reasons: null, rtoSeconds: null, evidence: { number: 3, hash: "abcdef" } },
      lastPassedDrill: { startedAt: passed.startedAt, outcome: "passed", rtoSeconds: 30 },
    });
  });
});

describe("what is known from metrics", () => {
  const backups = measured(scanned({ wrong: 1 }));
  const operations = measureOperations(parseMetricFiles([drilled(run(60, "failed"), run(60, "failed"), null)]), now);
  const taken = snapshot({ backups, operations });

  it("is on the status page, which names what is not known", () => {
    const html = pageSections({
      ...{ parts: taken.parts, databases: {}, unreachable: undefined, space: [] },
      forecast: { kind: "unknown", reason: "it is new" },
    });
    expect(html).toContain("<td>incr, 2026-01-07T21:00:00.000Z</td>");
    expect(html).toContain("wrong: The scan of the backup repository found 1 problem");
    expect(html).toContain('<th scope="row">failed runs</th><td>none</td>');
    expect(html).toContain("<td>failed</td>");
    expect(html).toContain("The reasons of the last drill are not in the metrics.");
    expect(html).toContain("Not known: they are recorded in the repository of the backups");
    const nothing = snapshot({ backups: measured([]), operations: measureOperations(parseMetricFiles([]), now) });
    const unknown = pageSections({
      ...{ parts: nothing.parts, databases: {}, unreachable: undefined, space: [] },
      forecast: { kind: "unknown", reason: "it is new" },
    });
    expect(unknown).toContain('<th scope="row">last backup</th><td>unknown</td>');
    expect(unknown).toContain('<th scope="row">failed runs</th><td>unknown</td>');
    expect(unknown).not.toContain("name no problem");
    const failing = snapshot({ backups: measured(scanned({ failed: 1 })) });
    const failed = pageSections({
      ...{ parts: failing.parts, databases: {}, unreachable: undefined, space: [] },
      forecast: { kind: "unknown", reason: "it is new" },
    });
    expect(failed).toContain('<th scope="row">failed runs</th><td>incr</td>');
  });

  it("is in the answers and in the metrics of a server that is down", async () => {
    const rates = ratesBetween(undefined, taken);
    const status = judge(taken, rates, defaultSettings);
    const observation: Observation = { snapshot: taken, rates, status, statements: [] };
    const history = { uptime: () => null } as unknown as Parameters<typeof adminHealthView>[2];
    const probe = { answers: false, reason: "it is paused", responseMs: 1, at: now } as const;
    expect(adminHealthView(observation, probe, history).lastBackup).toBe("2026-01-07T21:00:00.000Z");
    const { subjects } = metricsView(
      observation,
      probe,
      { ...history, troubledSince: () => undefined } as never,
      false,
    );
    // Of a server that does not answer, only its backups are known.
    expect(subjects).toMatchObject([
      { name: "server", level: "critical", detail: "it is paused" },
      { name: "backups", level: "critical" },
    ]);
    const text = await prometheusText(observation, probe);
    expect(text).toContain('pgroundwork_subject_level{subject="server",database=""} 2\n');
    expect(text).toContain('pgroundwork_subject_level{subject="backups",database=""} 2\n');
    expect(text).not.toContain('subject="locks"');
    expect(text).toContain("pgroundwork_failed_backup_runs 0\n");
    expect(text).toContain(`pgroundwork_last_backup_timestamp_seconds ${ago(3 * hour)}\n`);
  });
});
