import { describe, expect, it } from "vitest";
import { diagnose } from "../../../../../scripts/backup/diagnosis.ts";
import { blamesBackup } from "../../../../../scripts/backup/drill/blame.ts";
import { judge, withObjectives } from "../../../../../scripts/backup/drill/drill.ts";
import { withoutIndexOrder } from "../../../../../scripts/backup/drill/examine.ts";
import { compareMigrations } from "../../../../../scripts/backup/drill/migrations.ts";
import { compareObjectives, hasAllWritten, objectiveReasons } from "../../../../../scripts/backup/drill/objectives.ts";
import { OperationError } from "../../../../../scripts/core/operation-error.ts";
import type { Validation } from "../../../../../scripts/validate/validate.ts";

const server = (text: string) => new OperationError(`The server in the container abc ${text}`);
const fromServer = (code: string) => Object.assign(new Error("invalid page in block 3"), { severity: "ERROR", code });

describe("a failure of a drill", () => {
  it.each<[string, unknown]>([
    ["a damaged file", diagnose(42, "P00  ERROR: [042]: error restoring '/data/base/5/1': checksum mismatch")],
    ["another passphrase", diagnose(29, "P00  ERROR: [029]: unable to load info file '/repo/backup.info'")],
    ["an empty repository", diagnose(55, "P00  ERROR: [055]: unable to open missing file '/repo/backup.info'")],
    ["no backup", diagnose(75, "")],
    [
      "a server without checkpoint",
      server("has ended with exit code 1. FATAL: could not locate a valid checkpoint record"),
    ],
    ["a damaged page that stops the server", server("has ended with exit code 1. PANIC: invalid page in block 3")],
    ["damaged data", new OperationError("invalid page", { cause: fromServer("XX001") })],
    ["a missing segment", "the segment 000000010000000000000009 is missing from the archive"],
  ])("is the backup's: %s", (_, error) => {
    expect(blamesBackup(error)).toBe(true);
  });

  it.each<[string, unknown]>([
    ["a full disk", diagnose(42, "P00  ERROR: [042]: error restoring '/data/x': [28] No space left on device")],
    ["a lock of another process", diagnose(50, "")],
    ["an unknown error of pgBackRest", diagnose(199, "P00  ERROR: [199]: something new")],
    ["a server that was killed for its memory", server("has ended with exit code 137. invalid page")],
    [
      "a server with a wrong setting",
      server("has ended with exit code 1. FATAL: unrecognized configuration parameter"),
    ],
    ["a slow server", server("did not answer within 10 s (FATAL: invalid page)")],
    ["an engine that does not answer", new Error("connect ECONNREFUSED /var/run/docker.sock")],
    ["a full disk while WAL is read", "pgBackRest could not read 0001 (exit code 41): No space left on device"],
    ["another error of a query", new OperationError("x", { cause: fromServer("53200") })],
  ])("is not the backup's: %s", (_, error) => {
    expect(blamesBackup(error)).toBe(false);
  });
});

describe("a drill", () => {
  const subject = (name: string, more: object = {}) => {
    return { name, title: name, state: "ok" as const, examined: 9, unknown: [], note: null, ...more };
  };
  const validation = (more: Partial<Validation> = {}): Validation => {
    return { database: "shop", subjects: [subject("amcheck")], findings: [], tables: [], ...more };
  };
  const finding = { code: "x", level: "error" as const, title: "", detail: "it is bad", objects: [], hint: null };
  const shop = { database: "shop", size: 1, tables: [] };
  const sound = { unproven: [], databases: [shop] };
  const compared = { compared: true as const, count: 1, missing: [] };

  it("passes if everything was examined and nothing is wrong", () => {
    expect(judge(sound, [validation()], compared)).toEqual({ outcome: "passed", reasons: [], hint: null });
    const warned = validation({ findings: [{ ...finding, level: "warning", count: null, samples: [] }] });
    expect(judge(sound, [warned], { compared: false, reason: "x" }).outcome).toBe("passed");
  });

  it.each<[string, Parameters<typeof judge>, string]>([
    ["rows may be missing", [{ ...sound, incompleteReason: "a gap" }, [validation()], compared], "a gap"],
    [
      "something is damaged",
      [sound, [validation({ findings: [{ ...finding, count: null, samples: [] }] })], compared],
      "shop: it is bad",
    ],
    [
      "migrations are missing",
      [sound, [validation()], { ...compared, missing: ["shop: 000001-a.sql"] }],
      "applied migrations are missing from the copy: shop: 000001-a.sql",
    ],
  ])("fails if %s", (_, args, reason) => {
    expect(judge(...args)).toEqual({ outcome: "failed", reasons: [reason], hint: expect.any(String) });
  });

  it.each<[string, Parameters<typeof judge>, string]>([
    [
      "amcheck is not available",
      [sound, [validation({ subjects: [subject("amcheck", { state: "not available", note: "no file" })] })], compared],
      "shop: amcheck is not available: no file",
    ],
    [
      "amcheck did not run",
      [sound, [validation({ subjects: [] })], compared],
      "shop: amcheck is not available: it was not run",
    ],
    [
      "something took too long",
      [sound, [validation({ subjects: [subject("amcheck"), subject("checks", { unknown: ["late"] })] })], compared],
      "shop: late",
    ],
    [
      "a database was not examined",
      [{ ...sound, databases: [shop, { ...shop, database: "other" }] }, [validation()], compared],
      "other: it was not examined",
    ],
    [
      "a database could not be read",
      [{ ...sound, unproven: [{ database: "locked", reason: "it is locked" }] }, [validation()], compared],
      "locked: it is locked",
    ],
    ["there is no database", [{ unproven: [], databases: [] }, [], compared], "the copy has no database"],
  ])("could not run if %s", (_, args, reason) => {
    expect(judge(...args)).toEqual({ outcome: "could not run", reasons: [reason], hint: null });
  });
});

describe("the objectives of a drill", () => {
  const passed = { outcome: "passed" as const, reasons: [], hint: null };
  const allowed = { rtoSeconds: 60, rpoSeconds: 3_600 };
  const judged = (rtoSeconds: number | null, rpoSeconds: number | null, hasEverything = false, before = passed) => {
    const compared = compareObjectives(allowed, { rtoSeconds, rpoSeconds }, hasEverything);
    return withObjectives(before, objectiveReasons(compared, hasEverything));
  };

  it("are met up to their limits", () => {
    expect(judged(60, 3_600)).toEqual(passed);
    expect(
      withObjectives(
        passed,
        objectiveReasons(compareObjectives({}, { rtoSeconds: 9e9, rpoSeconds: null }, false), false),
      ),
    ).toEqual(passed);
  });

  it("fail a drill that misses them, with the measured and the allowed value", () => {
    expect(judged(60.1, 7_200)).toEqual({
      outcome: "failed",
      reasons: [
        "the RTO of 60.1 s misses the objective of 60 s (1m)",
        "the RPO of 7200 s misses the objective of 3600 s (1h)",
      ],
      hint: expect.stringContaining("objectives"),
    });
  });

  it("leave the result unknown if a value is not known", () => {
    expect(judged(1, null)).toMatchObject({
      outcome: "could not run",
      reasons: ["the RPO is not known; the objective is 3600 s"],
    });
  });

  it("count no old commit of an idle server, if the copy has all that the server had written", () => {
    expect(judged(1, 9e9, true)).toEqual(passed);
    expect(judged(1, null, true)).toEqual(passed);
    const before = { applied: new Map(), lsn: 0x20n, timeline: 1 };
    expect(hasAllWritten(before, { lsn: "0/20", timeline: 1 })).toBe(true);
    expect(hasAllWritten(before, { lsn: "0/1F", timeline: 1 })).toBe(false);
    expect(hasAllWritten(before, { lsn: "0/20", timeline: 2 })).toBe(false);
    expect(hasAllWritten("it is stopped", { lsn: "0/20", timeline: 1 })).toBe(false);
  });

  it("add to a bad backup, and fail one that could not be fully examined", () => {
    const bad = { outcome: "failed" as const, reasons: ["a gap"], hint: "x" };
    expect(withObjectives(bad, { missed: ["late"], unknown: [] })).toEqual({ ...bad, reasons: ["a gap", "late"] });
    const partly = { outcome: "could not run" as const, reasons: ["not read"], hint: null };
    expect(withObjectives(partly, { missed: ["late"], unknown: [] })).toMatchObject({
      ...{ outcome: "failed", reasons: ["late", "not read"] },
    });
    expect(withObjectives(partly, { missed: [], unknown: [] })).toEqual(partly);
  });
});

describe("a damaged index", () => {
  it("is not judged if the image's collations have another version, and everything else is", () => {
    const found = (title: string) => ({
      ...{ code: "damaged-data", level: "error" as const, title, detail: "Reading i failed", objects: ["i"] },
      ...{ hint: null, count: null, samples: [] },
    });
    const validation: Validation = {
      database: "shop",
      subjects: [{ name: "amcheck", title: "", state: "found", examined: 2, unknown: [], note: null }],
      findings: [found("An index is damaged"), found("Data on the server's disk is damaged or cannot be read")],
      tables: [],
    };
    const judged = withoutIndexOrder(validation);
    expect(judged.findings).toEqual([validation.findings[1]]);
    expect(judged.subjects[0]?.unknown).toEqual([
      "Reading i failed; not judged, because the collations of this image have another version",
    ]);
  });
});

describe("the migrations of a copy", () => {
  const recorded = (...names: string[]) => ({ applied: new Map([["shop", names]]), lsn: 0x20n, timeline: 1 });
  const reached = { lsn: "0/20", timeline: 1 };

  it("are compared with those that were applied before the restore and still are", () => {
    const before = recorded("a", "b", "reverted");
    const now = recorded("a", "b", "later");
    const compare = (...names: string[]) => compareMigrations(before, new Map([["shop", names]]), now, reached);
    expect(compare("a", "b", "reverted")).toEqual({ compared: true, count: 2, missing: [] });
    expect(compare("a")).toEqual({ compared: true, count: 2, missing: ["shop: b"] });
    expect(compareMigrations(before, new Map(), now, reached)).toMatchObject({ missing: ["shop: a", "shop: b"] });
  });

  it.each<[string, Parameters<typeof compareMigrations>, RegExp]>([
    [
      "the archive ends earlier",
      [recorded("a"), new Map(), recorded("a"), { lsn: "0/1F", timeline: 1 }],
      /ends at 0\/1F, before 0\/20/,
    ],
    [
      "the timelines differ",
      [recorded("a"), new Map(), recorded("a"), { lsn: "0/30", timeline: 2 }],
      /timeline 1, the copy on 2/,
    ],
    [
      "the server is stopped",
      ["it is not running", new Map(), recorded("a"), reached],
      /could not be read: it is not running/,
    ],
    [
      "the server was stopped meanwhile",
      [recorded("a"), new Map(), "it is gone", reached],
      /could not be read: it is gone/,
    ],
  ])("are not compared if %s", (_, args, reason) => {
    expect(compareMigrations(...args)).toEqual({ compared: false, reason: expect.stringMatching(reason) });
  });
});
