import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { cloneRoot } from "../../clone-root.ts";

/** Returns one file of the runner's JSON report. */
const file = (name: string, statuses: string[], status = statuses.includes("failed") ? "failed" : "passed") => ({
  name: join(cloneRoot, name),
  status,
  startTime: 1000,
  endTime: 3000,
  assertionResults: statuses.map((one, index) => ({ fullName: `test ${index}`, status: one })),
});

describe("the summary of a CI run", () => {
  /** Runs the script with reports of these files. Returns its lines. */
  const summary = (options: string[], ...reports: ReturnType<typeof file>[][]) => {
    const folder = mkdtempSync(join(tmpdir(), "summary-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const paths = reports.map((testResults, index) => {
      const path = join(folder, `${index}.json`);
      writeFileSync(path, JSON.stringify({ testResults, numPendingTests: 0 }));
      return path;
    });
    const script = join(cloneRoot, ".ci", "summary.mjs");
    const printed = execFileSync(process.execPath, [script, ...options, ...paths], {
      cwd: cloneRoot,
      encoding: "utf8",
    });
    return printed.trim().split("\n");
  };
  const sound = file("test/a.test.ts", ["passed", "passed"]);

  it("counts a file that fails before its first test as one failure", () => {
    const broken = file("test/b.test.ts", [], "failed");
    expect(summary([], [sound, broken])).toEqual([
      "slowest files, in seconds:",
      "     2  test/a.test.ts",
      "     2  test/b.test.ts",
      "2 passed, 1 failed",
    ]);
    expect(summary(["--failed"], [sound, broken])).toEqual(["test/b.test.ts"]);
  });

  it("names what passed only in the second try, and counts what failed again", () => {
    const first = [sound, file("test/b.test.ts", ["passed", "failed"]), file("test/c.test.ts", ["failed", "failed"])];
    const second = [file("test/b.test.ts", ["passed", "passed"]), file("test/c.test.ts", ["failed", "passed"])];
    expect(summary([], first, second).slice(4)).toEqual([
      "passed only in the second try: test/b.test.ts test 1",
      "5 passed, 1 failed",
    ]);
  });

  it("lists no file for a second try if more than three tests failed", () => {
    const three = file("test/b.test.ts", ["failed", "failed", "failed"]);
    expect(summary(["--failed"], [sound, three])).toEqual(["test/b.test.ts"]);
    expect(summary(["--failed"], [three, file("test/c.test.ts", ["failed"])])).toEqual([""]);
  });
});
