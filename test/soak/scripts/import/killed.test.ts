import { randomInt } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ImportCases, startImportCases } from "../../../embedded/scripts/import/import-cases.ts";
import { contents, importUntil, map, rowsOf, tables } from "../../../embedded/scripts/import/killed-import.ts";

/** Number of kills. `PGW_SOAK_IMPORT_KILLS` sets another one, `PGW_SOAK_SEED` the seed. */
const kills = Number(process.env.PGW_SOAK_IMPORT_KILLS ?? 30);
const seed = Number(process.env.PGW_SOAK_SEED ?? randomInt(1, 1_000_000));

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

/** Returns numbers below a limit that depend on the seed only. */
function numbersFrom(start: number): (limit: number) => number {
  let state = start;
  return (limit) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
}

const points = [
  ...["read", "validate", "load", "record", "verify"].map((phase) => `phase ${phase}`),
  ...["read", "load", "verify"].map((phase) => `progress ${phase}`),
  ...[1, 2, 3, 4, 5].map((batch) => `batch ${batch}`),
];

describe("an import that is killed at random points", () => {
  it("ends with the same rows as an undisturbed one, each of them once", async () => {
    process.stderr.write(`seed ${seed}\n`);
    const next = numbersFrom(seed);
    const undisturbed = await cases.begin(tables);
    const file = undisturbed.sqlite(rowsOf(4_500));
    await undisturbed.run("sqlite", file, map);
    const expected = await undisturbed.rows(contents);
    for (let killed = 0; killed < kills; ) {
      const disturbed = await cases.begin(tables);
      const reached: string[] = [];
      for (let tries = 1 + next(4); tries > 0 && killed < kills; tries--) {
        const point = points[next(points.length)] ?? "";
        // A run that is behind the point already goes on to its end.
        if ((await importUntil(disturbed, file, point)) !== "SIGKILL") break;
        reached.push(point);
        killed++;
      }
      const { report } = await disturbed.run("sqlite", file, map);
      expect(report.outcome, reached.join(", ")).toBe("verified");
      expect(await disturbed.rows(contents), reached.join(", ")).toEqual(expected);
    }
  });
});
