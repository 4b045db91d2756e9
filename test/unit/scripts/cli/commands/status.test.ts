import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import type { BegunInPlace } from "../../../../../scripts/backup/restore/in-place/begun-in-place.ts";
import { describeStatus } from "../../../../../scripts/cli/commands/status-text.ts";
import type { JobState } from "../../../../../scripts/databases/job-state.ts";
import { type DatabaseStatus, type StackStatus, verdictOn } from "../../../../../scripts/stack/status.ts";

const now = new Date("2026-03-01T12:00:00Z");

const shop: DatabaseStatus = {
  name: "shop",
  roles: { app: "shop_app", readonly: "shop_readonly" },
  migrations: { known: true, applied: 3, pending: [], problems: [] },
  seeds: { known: true, pending: [] },
};

const address = { kind: "embedded", host: "127.0.0.1", port: 5432, sslmode: "disable" };

const sound: StackStatus = {
  stack: "local",
  protected: false,
  server: { state: "running", startedAt: "2026-03-01T09:00:00.123Z", version: "17.10", ...address },
  disk: null,
  keptClusters: { known: true, clusters: [] },
  containers: { known: true, containers: [] },
  databases: [shop],
  notCreated: [],
  backups: null,
  dumps: null,
  jobs: null,
};

const job: JobState = {
  ...{ database: "shop", name: "tidy", schedule: "0 2 * * *", active: true, paused: false },
  ...{ failed: false, overdueSeconds: 0, startedAt: "2026-03-01T02:00:00Z" },
  ...{ endedAt: "2026-03-01T02:01:00.5Z", message: "1 row" },
};
const withJobs = (...jobs: Partial<JobState>[]) => ({
  jobs: {
    ...{ known: true as const, runner: "pg_cron" as const, pending: [] },
    jobs: jobs.map((changed) => ({ ...job, ...changed })),
  },
});

const text = (changed: Partial<StackStatus>) => stripVTControlCharacters(describeStatus({ ...sound, ...changed }, now));
const withShop = (changed: Partial<DatabaseStatus>) => ({ databases: [{ ...shop, ...changed }] });
const verdict = (changed: Partial<StackStatus>) => verdictOn({ ...sound, ...changed });

const last = {
  label: "20260301-020000F",
  type: "full" as const,
  finishedAt: "2026-03-01T02:01:00Z",
  ageSeconds: 35_940,
};
const backups = {
  ...{ known: true as const, last, lastFull: last, restorableFrom: last.finishedAt, lastArchivedAt: null },
  ...{ failedRuns: [], underWay: false, findings: [] },
};

describe("the status of a stack", () => {
  it("says what runs since when, how to reach it, and that nothing is pending", () => {
    expect(text({})).toBe(
      [
        "stack        local",
        "server       PostgreSQL 17.10 (embedded) on 127.0.0.1:5432, sslmode=disable: running since 2026-03-01T09:00:00Z (3 h)",
        "database     shop",
        "  roles      shop_app, shop_readonly",
        "  migrations 3 applied, nothing pending",
        "  seeds      nothing pending",
        "URL          npm run -s pgw -- url --database shop --role app     (prints the password)",
      ].join("\n"),
    );
    expect(verdict({})).toBe("done");
  });

  it("shows the clusters that a restore keeps with both commands, and warns of one that is older than 7 days", () => {
    const day = 86_400;
    const kept = (ageSeconds: number, canReturn = true) => ({
      keptClusters: {
        ...{ known: true as const },
        clusters: [
          {
            ...{ folder: "/data.before-20260228T120000Z", canReturn, restoredAt: "2026-02-28T12:00:00Z" },
            ...{ ageSeconds, bytes: 48_200_000 },
          },
        ],
      },
    });
    expect(text(kept(day))).toContain(
      [
        "kept         /data.before-20260228T120000Z (48.2 MB): the cluster from before the restore of 2026-02-28T12:00:00Z, 24 h ago",
        "  return to it: npm run pgw -- backup restore --undo",
        "  remove it:    npm run pgw -- backup restore --finish",
      ].join("\n"),
    );
    expect(text(kept(day, false))).toContain("put aside by an undo of the restore of 2026-02-28T12:00:00Z");
    expect(text(kept(day, false))).not.toContain("--undo");
    expect([verdict(kept(7 * day)), verdict(kept(7 * day + 1))]).toEqual(["done", "pending"]);
    expect(verdict({ keptClusters: { known: false, reason: "no access" } })).toBe("wrong");
    const begun = (state: BegunInPlace) => ({ keptClusters: { known: true as const, clusters: [], begun: state } });
    expect(text(begun("killed"))).toContain(
      "\nrestore      in place: was killed; to complete or revert it: npm run pgw -- recover\n",
    );
    expect([verdict(begun("killed")), verdict(begun("running"))]).toEqual(["wrong", "done"]);
  });

  it("shows a full disk, which is wrong, and a nearly full one, which only warns", () => {
    const full = { disk: { full: true, text: "The disk of /data is full: 9 GiB used, 1.0 MiB free." } };
    expect(text(full)).toContain("\ndisk         The disk of /data is full: 9 GiB used, 1.0 MiB free.\n");
    expect(verdict(full)).toBe("wrong");
    expect(verdict({ disk: { ...full.disk, full: false } })).toBe("done");
  });

  it("names pending files, a few of many", () => {
    const pending = Array.from({ length: 7 }, (_, index) => `00000${index + 4}.sql`);
    const seeds = { known: true as const, pending: [{ set: "dev", filename: "010-a.sql", state: "new" as const }] };
    const changed = withShop({ migrations: { known: true, applied: 3, pending, problems: [] }, seeds });
    expect(text(changed)).toContain(
      "migrations 3 applied, 7 pending: 000004.sql, 000005.sql, 000006.sql, 000007.sql, 000008.sql and 2 more\n" +
        "  seeds      1 pending: dev/010-a.sql\n",
    );
    expect(verdict(changed)).toBe("pending");
    expect(verdict(withShop({ seeds }))).toBe("pending");
  });

  it("is pending for a database that up has not created yet", () => {
    expect(text({ notCreated: ["kyb"] })).toContain("database     kyb: not created yet, `up` creates it");
    expect(verdict({ notCreated: ["kyb"] })).toBe("pending");
  });

  it.each([
    ["stopped", "stopped: no server runs on its data"],
    ["unknown", "could not be asked: no server runs on its data"],
  ] as const)("of a server that is %s says so, and never that nothing is pending", (state, words) => {
    const reason = "no server runs on its data";
    const unknown = { known: false as const, reason: "the server is stopped" };
    const changed = {
      server: { state, reason, ...address },
      ...withShop({ migrations: unknown, seeds: unknown }),
    };
    expect(text(changed)).toContain(words);
    expect(text(changed).includes("next         npm run up     (starts the server)")).toBe(state === "stopped");
    expect(text(changed)).toContain("migrations not known: the server is stopped\n");
    expect(text(changed)).toContain("seeds      not known: the server is stopped\n");
    expect(text(changed)).not.toContain("nothing pending");
    expect(verdict(changed)).toBe("wrong");
  });

  it("is wrong if anything is not known, or files and database do not match, even if work is pending", () => {
    const unknown = { known: false as const, reason: "permission denied" };
    const problems = [{ kind: "missing" as const, filename: "000001.sql", expected: "sha1:1", found: null }];
    const mismatch = withShop({ migrations: { known: true, applied: 3, pending: ["000004.sql"], problems } });
    expect(text(mismatch)).toContain("files and database do not match:\n    - 000001.sql is applied (sha1:1), but");
    const wrong = [
      withShop({ migrations: unknown }),
      withShop({ seeds: unknown }),
      mismatch,
      { containers: unknown },
      { containers: { known: true as const, containers: [{ name: "backups", running: false, status: "Exited (1)" }] } },
      { backups: unknown },
      { backups: { ...backups, findings: [{ level: "unknown" as const, text: "not scanned" }] } },
    ];
    for (const each of wrong) expect(verdict({ notCreated: ["kyb"], ...each })).toBe("wrong");
  });

  it("says when the last backup was made, and what is wrong with the backups", () => {
    expect(text({ backups, stack: "dev" })).toContain("backups      last 20260301-020000F (full), 10 h ago\n");
    const ahead = { ...last, ageSeconds: -3_456_000 };
    expect(text({ backups: { ...backups, last: ahead } })).toContain("last 20260301-020000F (full), in the future\n");
    expect(text({ backups: { ...backups, last: null, underWay: true } })).toContain(
      "backups      none yet; one is being made now\n",
    );
    expect(text({ backups: { ...backups, findings: [{ level: "wrong", text: "There is a gap." }] } })).toContain(
      "  wrong    There is a gap.\n",
    );
    expect(text({ backups: { known: false, reason: "the container b does not run" } })).toContain(
      "backups      not known: the container b does not run\n",
    );
  });

  it("names the command that runs the jobs of a server without pg_cron", () => {
    const jobs = { ...withJobs({ startedAt: null, endedAt: null }).jobs, runner: "command" as const };
    expect(text({ jobs, stack: "ci" })).toMatch(
      /^jobs {9}1 declared, which run with: npm run pgw -- jobs run --due --stack ci$/m,
    );
    expect(verdict({ jobs })).toBe("done");
  });

  it("counts jobs that are fine", () => {
    expect(text(withJobs({}, { name: "nightly" }))).toContain("\njobs         2 scheduled\nURL");
    expect(verdict(withJobs({}))).toBe("done");
  });

  it.each<[Partial<JobState>, string]>([
    [
      { failed: true, message: "ERROR:  no such table\n" },
      "failed     shop: tidy: its last run ended at 2026-03-01T02:01:00Z with: ERROR:  no such table",
    ],
    [{ overdueSeconds: 7_200 }, "overdue    shop: tidy: 2 h, its last run ended at 2026-03-01T02:01:00Z"],
    [{ overdueSeconds: 7_200, startedAt: null, endedAt: null }, "overdue    shop: tidy: 2 h, it has never run"],
    [
      { failed: true, endedAt: null, message: "the process ended" },
      "failed     shop: tidy: its last run began at 2026-03-01T02:00:00Z with: the process ended",
    ],
    [{ active: false }, "stopped    shop: tidy: someone has stopped it; `up` starts it again"],
    [
      { active: false, paused: true },
      "paused     shop: tidy: a restore in place paused it; to enable it: npm run pgw -- backup restore --resume",
    ],
    [{ failed: null }, "unknown    shop: tidy: pg_cron records no runs (cron.log_run is off)"],
  ])("is wrong if a job is not fine: %o", (changed, line) => {
    expect(text(withJobs(changed, { name: "nightly" }))).toContain(`\njobs         2 scheduled\n  ${line}\nURL`);
    expect(verdict(withJobs(changed, { name: "nightly" }))).toBe("wrong");
  });

  it("names jobs that up will add, change or remove, and says if nothing is known of them", () => {
    const changed = { jobs: { ...withJobs().jobs, pending: ["add job tidy of shop"] } };
    expect(text(changed)).toContain("jobs         0 scheduled; 1 pending: add job tidy of shop");
    expect(verdict(changed)).toBe("pending");
    const unknown = { jobs: { known: false as const, reason: "permission denied" } };
    expect(text(unknown)).toContain("jobs         not known: permission denied");
    expect(verdict(unknown)).toBe("wrong");
  });

  it("says that the planned dumps are current, or which ones are overdue and how to make them", () => {
    expect(text({ dumps: { folder: "/dumps", findings: [] } })).toContain("dumps        current, in /dumps");
    const overdue = { folder: "/dumps", findings: [{ level: "wrong" as const, text: "too old" }] };
    expect(text({ dumps: overdue, stack: "ci" })).toMatch(
      /^dumps {8}make those that are due: npm run pgw -- backup dump --due --stack ci\n {2}wrong {4}too old$/m,
    );
    expect([verdict({ dumps: { folder: "/dumps", findings: [] } }), verdict({ dumps: overdue })]).toEqual([
      "done",
      "wrong",
    ]);
  });
});
