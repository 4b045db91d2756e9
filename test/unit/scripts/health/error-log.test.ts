import { appendFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { ErrorLog } from "../../../../scripts/health/error-log.ts";
import { distinguished } from "../../../../scripts/health/logged-errors.ts";

let number = 0;

/** Returns a line as PostgreSQL 17 writes it. */
function line(severity: string, code: string, database: string | null, message = "no", ps = "idle"): string {
  number += 1;
  return `${JSON.stringify({
    timestamp: `2026-01-01 00:00:00.${String(number).padStart(4, "0")} UTC`,
    ...(database === null ? {} : { user: "app", dbname: database }),
    pid: 7,
    ps,
    error_severity: severity,
    state_code: code,
    message,
    application_name: "shop",
  })}\n`;
}

describe("the errors of a server's log", () => {
  let folder: string;
  let file: string;
  let log: ErrorLog;
  const counted = async () =>
    Object.fromEntries(
      (await log.read(folder)).counts.map(({ severity, sqlstateClass, database, count }) => [
        `${severity} ${sqlstateClass} ${database}`,
        count,
      ]),
    );

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "error-log-"));
    file = join(folder, "postgresql-Mon.json");
    log = new ErrorLog();
    await writeFile(file, line("ERROR", "23505", "shop"));
    expect(await counted()).toEqual({});
    onTestFinished(() => rm(folder, { recursive: true }));
  });

  it("are counted by severity, class and database from the first reading on, each once", async () => {
    const quoted = 'a"b\\c';
    await appendFile(
      file,
      [
        line("ERROR", "23505", "shop"),
        line("ERROR", "23503", "shop"),
        line("FATAL", "53300", quoted),
        line("PANIC", "58030", null),
        line("LOG", "00000", "shop"),
        line("WARNING", "01000", "shop"),
      ].join(""),
    );
    const all = { "ERROR 23 shop": 2, [`FATAL 53 ${quoted}`]: 1, "PANIC 58 null": 1 };
    expect(await counted()).toEqual(all);
    expect(await counted()).toEqual(all);
  });

  it("are found in lines that were written in two parts, and in very long ones", async () => {
    const long = line("ERROR", "54000", "shop", "x".repeat(1_000_000));
    await appendFile(file, long.slice(0, 700_000));
    expect(await counted()).toEqual({});
    await appendFile(file, `${long.slice(700_000)}${line("ERROR", "22012", "shop")}`);
    expect(await counted()).toEqual({ "ERROR 54 shop": 1, "ERROR 22 shop": 1 });
  });

  it("are not made up by a message that looks like JSON", async () => {
    await appendFile(file, line("LOG", "00000", "shop", '","error_severity":"PANIC","state_code":"XX000'));
    await appendFile(file, 'text {"error_severity":"PANIC","state_code":"XX000"}\n');
    expect(await counted()).toEqual({});
  });

  it("are counted on after a rotation by another name, by renaming, and over the same file", async () => {
    await appendFile(file, line("ERROR", "23505", "shop"));
    expect(await counted()).toEqual({ "ERROR 23 shop": 1 });
    await appendFile(file, line("ERROR", "23505", "shop"));
    await rename(file, join(folder, "postgresql-old.json"));
    await writeFile(file, line("ERROR", "23505", "shop"));
    expect(await counted()).toEqual({ "ERROR 23 shop": 3 });
    // Longer than what was read before.
    await writeFile(file, Array.from({ length: 5 }, () => line("ERROR", "23505", "shop")).join(""));
    expect(await counted()).toEqual({ "ERROR 23 shop": 8 });
    await writeFile(file, "");
    await writeFile(file, line("ERROR", "23505", "shop"));
    expect(await counted()).toEqual({ "ERROR 23 shop": 9 });
  });

  it("have no database before a session has begun, unless it is known", async () => {
    await appendFile(file, line("FATAL", "3D000", "made-up", "no", "startup") + line("ERROR", "22012", "shop"));
    await appendFile(file, line("FATAL", "28P01", "shop", "no", "authentication"));
    expect(await counted()).toEqual({ "FATAL 3D null": 1, "ERROR 22 shop": 1, "FATAL 28 shop": 1 });
  });

  it("are of at most 100 databases, whatever names clients make up, and of PostgreSQL's classes", async () => {
    await appendFile(file, Array.from({ length: 500 }, (_, n) => line("ERROR", "22012", `made-up-${n}`)).join(""));
    await appendFile(file, line("PANIC", "XX001", "late") + line("ERROR", "ZZ123", "late"));
    const counts = await counted();
    expect(Object.keys(counts)).toHaveLength(103);
    expect(counts).toMatchObject({ "ERROR 22 other": 400, "PANIC XX other": 1, "ERROR other other": 1 });
    const kinds = (await log.read(folder)).counts.filter(({ severity }) => severity === "PANIC");
    expect(kinds).toMatchObject([{ sqlstate: "XX001", lastAt: expect.any(Date) }]);
  });

  it("are of at most 500 kinds and one more of each class", async () => {
    const codes = [...distinguished];
    const lines = Array.from({ length: 100 }, (_, n) => codes.map((code) => line("ERROR", code, `db-${n}`)).join(""));
    await appendFile(file, lines.join(""));
    const { counts } = await log.read(folder);
    expect(counts.length).toBeLessThanOrEqual(500 + codes.length);
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(100 * codes.length);
  });
});
