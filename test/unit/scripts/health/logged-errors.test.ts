import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { classes, distinguished, type ErrorCount, judgeErrors } from "../../../../scripts/health/logged-errors.ts";
import { cloneRoot } from "../../../clone-root.ts";

const at = new Date("2026-01-01T12:00:00Z");
const countedSince = new Date("2026-01-01T00:00:00Z");

function error(severity: string, code: string, ageSeconds: number, database: string | null = "shop"): ErrorCount {
  const sqlstate = distinguished.has(code) ? code : null;
  const lastAt = new Date(at.getTime() - 1_000 * ageSeconds);
  return { severity, sqlstateClass: code.slice(0, 2), sqlstate, database, count: 1, lastAt };
}
const judged = (...counts: ErrorCount[]) => judgeErrors({ countedSince, counts, isBehind: false }, at);

describe("errors of a server", () => {
  it.each([
    ["critical", "PANIC", "58030"],
    ["critical", "ERROR", "XX001"],
    ["critical", "ERROR", "XX002"],
    ["warning", "ERROR", "XX000"],
    ["warning", "ERROR", "53100"],
    ["warning", "FATAL", "53300"],
    ["warning", "FATAL", "58P01"],
    ["warning", "FATAL", "57P02"],
    ["ok", "ERROR", "23505"],
    ["ok", "ERROR", "58P01"],
    ["ok", "FATAL", "28P01"],
    ["ok", "FATAL", "3D000"],
    ["ok", "FATAL", "57P01"],
    ["ok", "FATAL", "57P03"],
    ["ok", "FATAL", "25P03"],
  ])("are %s for a recent %s %s", (level, severity, code) => {
    expect(judged(error(severity, code, 899))[0]).toBe(level);
  });

  it("count for 15 minutes, and are named with code, database and time", () => {
    expect(judged(error("PANIC", "58030", 900))).toEqual([
      "ok",
      "1 in the log since 2026-01-01T00:00:00.000Z, no alarming one in the last 15 min",
    ]);
    const counts = [error("ERROR", "XX000", 60), error("PANIC", "58030", 0, null), error("ERROR", "23505", 0)];
    expect(judged(...counts)).toEqual([
      "critical",
      "ERROR XX000 in database shop at 2026-01-01T11:59:00.000Z, PANIC 58030 at 2026-01-01T12:00:00.000Z; " +
        "3 in the log since 2026-01-01T00:00:00.000Z",
    ]);
  });

  it("have the same classes and codes in the image", async () => {
    const program = await readFile(join(cloneRoot, "infra/images/postgres/bin/error-count"), "utf8");
    const listed = (name: string) => new RegExp(`^${name} = set\\(\\s*"([^"]*)"`, "m").exec(program)?.[1]?.split(" ");
    expect(listed("CLASSES")).toEqual([...classes]);
    expect(listed("CODES")).toEqual([...distinguished]);
  });
});
