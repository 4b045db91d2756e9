import { expect, it } from "vitest";
import { describeFindings, type LintFinding } from "../../../../../scripts/migrate/lint/finding.ts";

const finding = (line: number, more: Partial<LintFinding> = {}): LintFinding => ({
  file: "000002-x.sql",
  line,
  column: 1,
  rule: "require-concurrent-index-creation",
  level: "error",
  message: "Updates are blocked.",
  help: "Use `concurrently`.",
  ...more,
});

it("lint findings are printed with position and hint, repeated ones of a file once", () => {
  const other = { rule: "ban-drop-table", message: "Dropped.", help: null };
  expect(
    describeFindings([finding(4), finding(5), finding(6, other), finding(9), finding(4, { file: "000003-y.sql" })]),
  ).toEqual([
    "000002-x.sql:4:1: error require-concurrent-index-creation: Updates are blocked.",
    "    Use `concurrently`.",
    "    also in lines 5, 9",
    "000002-x.sql:6:1: error ban-drop-table: Dropped.",
    "000003-y.sql:4:1: error require-concurrent-index-creation: Updates are blocked.",
    "    Use `concurrently`.",
  ]);
});

it("lint findings in very many lines are printed with a count of the last ones", () => {
  const lines = Array.from({ length: 12 }, (_, index) => finding(index + 4));
  expect(describeFindings(lines).at(-1)).toBe("    also in lines 5, 6, 7, 8, 9, 10, 11, 12 and 3 more");
  expect(describeFindings(lines.slice(0, 2)).at(-1)).toBe("    also in line 5");
});
