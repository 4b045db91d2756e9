import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readBaseline, sift, writeBaseline } from "../../../../scripts/doctor/baseline.ts";
import type { CheckOutcome, DoctorFinding } from "../../../../scripts/doctor/diagnose.ts";
import { sarif } from "../../../../scripts/doctor/sarif.ts";

const finding = (key: string): DoctorFinding => ({
  ...{ code: key.split("/")[0] ?? "", level: "warning", title: "A title", detail: "A detail.", objects: ["public.a"] },
  ...{ hint: "A hint.", key, database: "shop", fix: null },
});
const outcome = (check: string, unknown: string[] = []): CheckOutcome => ({
  ...{ check, title: "A title", database: "shop", state: unknown.length > 0 ? "unknown" : "clear", unknown },
});
const [old, other] = ["duplicate-index/shop/public.old", "duplicate-index/shop/public.new"];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "baseline-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a baseline", () => {
  it("leaves out the findings that it lists, with their reasons, and no others", () => {
    const diagnosis = { checks: [outcome("duplicate-index")], findings: [finding(old), finding(other)] };
    const { findings, ignored } = sift(diagnosis, [{ key: old, reason: "known" }]);
    expect(findings.map(({ key }) => key)).toEqual([other]);
    expect(ignored.map(({ key, reason }) => [key, reason])).toEqual([[old, "known"]]);
  });

  it("is outdated if a problem is gone, but not if its check could not be answered", () => {
    const list = [{ key: old, reason: "known" }];
    expect(sift({ checks: [outcome("duplicate-index")], findings: [] }, list).outdated).toEqual(list);
    expect(sift({ checks: [outcome("duplicate-index", ["no right"])], findings: [] }, list).outdated).toEqual([]);
    expect(sift({ checks: [outcome("invalid-index")], findings: [] }, list).outdated).toEqual([]);
  });

  it("keeps the reasons that were written by hand when it is written again", async () => {
    const path = join(folder, "doctor.json");
    writeBaseline(path, [finding(old), finding(other)], [{ key: old, reason: "by hand" }], new Date("2026-01-02"));
    expect(await readBaseline(path)).toEqual([
      { key: other, reason: "found when the baseline was written, 2026-01-02" },
      { key: old, reason: "by hand" },
    ]);
    expect((await readFile(path, "utf8")).endsWith("}\n")).toBe(true);
  });

  it.each([
    ["no JSON", "{", /it is not JSON/],
    ["no reason", '{ "ignore": [{ "key": "a" }] }', /ignore\.0\.reason/],
    ["an empty reason", '{ "ignore": [{ "key": "a", "reason": " " }] }', /a reason is required/],
    ["another member", '{ "ignored": [] }', /ignore/],
  ])("with %s is refused", async (_, text, message) => {
    const path = join(folder, "doctor.json");
    await writeFile(path, text);
    await expect(readBaseline(path)).rejects.toThrow(message);
  });

  it("that does not exist is refused by name", async () => {
    await expect(readBaseline(join(folder, "none.json"))).rejects.toThrow(/none\.json": the file does not exist/);
  });
});

describe("SARIF", () => {
  it("has findings as failures, ignored ones as suppressed, and checks without an answer as open", () => {
    const diagnosis = { checks: [outcome("unused-index", ["too new"])], findings: [finding(old), finding(other)] };
    const report = sarif(sift(diagnosis, [{ key: old, reason: "known" }]), "1.0.0") as {
      runs: [{ tool: { driver: { rules: { id: string }[] } }; results: Record<string, unknown>[] }];
    };
    const [{ tool, results }] = report.runs;
    expect(results.map(({ ruleId, kind, level, suppressions }) => [ruleId, kind, level, suppressions])).toEqual([
      ["duplicate-index", "fail", "warning", undefined],
      ["duplicate-index", "fail", "warning", [{ kind: "external", justification: "known" }]],
      ["unused-index", "open", "none", undefined],
    ]);
    const rules = tool.driver.rules.map(({ id }) => id);
    expect(rules).toEqual(expect.arrayContaining(results.map(({ ruleId }) => ruleId)));
    expect(results[0]?.partialFingerprints).toEqual({ "pgroundworkKey/v1": other });
  });
});
