import { describe, expect, it } from "vitest";
import { drawIn } from "../../../../../scripts/backup/drill/random-moment.ts";
import type { RestorableRange } from "../../../../../scripts/backup/window/window.ts";

const day = 86_400_000_000n;
const range = (from: bigint, to: bigint): RestorableRange => ({
  ...{ from: { at: from, lsn: 0n }, to: { at: to, lsn: 0n }, backups: [] },
});
const windowOf = (...ranges: RestorableRange[]) => ({
  current: 2,
  timelines: [
    { timeline: 1, parent: undefined, ranges: [range(0n, 5n)], gaps: [] },
    { timeline: 2, parent: undefined, ranges, gaps: [] },
  ],
});

describe("a random moment", () => {
  it("is each one of the current timeline's ranges, and none in a gap", () => {
    const window = windowOf(range(10n, 12n), range(20n, 21n));
    const drawn = [0n, 1n, 2n, 3n, 4n, 5n].map((random) => drawIn(window, 7, random));
    expect(drawn).toEqual([10n, 11n, 12n, 20n, 21n, 10n]);
  });

  it("is of the last days before the end of the window", () => {
    const window = windowOf(range(0n, day), range(2n * day, 30n * day));
    expect([drawIn(window, 7, 0n), drawIn(window, 7, 7n * day)]).toEqual([23n * day, 30n * day]);
  });

  it("does not exist if the current timeline has no range", () => {
    expect(drawIn(windowOf(), 7, 3n)).toBeUndefined();
  });
});
