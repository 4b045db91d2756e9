import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { slowerStatements } from "../../../../scripts/doctor/checks/slower-statement.ts";
import { recordedStatements } from "../../../../scripts/doctor/recorded-statements.ts";
import { defaultThresholds } from "../../../../scripts/doctor/thresholds.ts";
import { historyFile } from "../../../../scripts/health/history.ts";

/** Three days with a mean of 10 ms, and a last day. */
const days = (calls: number, meanMs: number, earlier = 10) => [
  ...[1, 2, 3].map((day) => ({ day, id: "7", calls: 100, totalMs: 100 * earlier })),
  { day: 4, id: "7", calls, totalMs: calls * meanMs },
];

describe("slower-statement", () => {
  it("reports a statement that takes twice as long as on the days before", () => {
    expect(slowerStatements(days(100, 20), defaultThresholds)).toEqual([{ id: "7", before: 10, now: 20, calls: 100 }]);
  });

  it.each([
    ["a little slower", days(100, 19.9)],
    ["slower in few calls", days(99, 50)],
    ["twice as slow and still fast", days(100, 9.9, 1)],
    ["new", [...days(100, 1), { day: 4, id: "8", calls: 1_000, totalMs: 1_000_000 }]],
  ])("does not report a statement that is %s", (_, recorded) => {
    expect(slowerStatements(recorded, defaultThresholds)).toEqual([]);
  });

  it("is unknown with too few days", () => {
    expect(() => slowerStatements(days(100, 20).slice(1), defaultThresholds)).toThrow(/only 3 days .*, not 4/);
    expect(() => slowerStatements([], defaultThresholds)).toThrow(/only 0 days/);
  });
});

describe("the use of statements on past days", () => {
  const connection = { host: "h", port: 5432, user: "u", sslmode: "disable" } as const;
  const [shop, depot] = ["shop", "depot"].map((database) => ({ ...connection, database })) as [Connection, Connection];

  it("is read from the history of any of the databases, and unknown without one or with a damaged one", async () => {
    const root = await mkdtemp(join(tmpdir(), "recorded-"));
    onTestFinished(() => rm(root, { recursive: true }));
    const nothing = { known: false, reason: expect.stringMatching(/^nothing was recorded: pgw health serve/) };
    expect(await recordedStatements(root, [depot, shop], undefined)).toEqual(nothing);
    const statements = [{ day: 1, id: "7", calls: 2, totalMs: 3 }];
    const path = historyFile(root, shop);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, JSON.stringify({ version: 1, hours: [], statements, space: [], entries: [] }));
    expect(await recordedStatements(root, [depot, shop], undefined)).toEqual({ known: true, days: statements });
    expect(await recordedStatements(root, [depot], undefined)).toEqual(nothing);
    await writeFile(path, "{");
    expect(await recordedStatements(root, [shop], undefined)).toEqual(nothing);
  });
});
