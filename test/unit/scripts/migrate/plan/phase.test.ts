import { describe, expect, it } from "vitest";
import { phaseWarnings, readPhase } from "../../../../../scripts/migrate/plan/phase.ts";

describe("the phase of a file", () => {
  it.each([
    ["-- phase: expand\nselect 1;", "expand"],
    ["--! no-transaction\n\n-- What for.\n--  Phase: CONTRACT  \nselect 1;", "contract"],
    ["select 1;\n-- phase: expand", null],
    ["-- phase: expanding\nselect 1;", null],
    ["-- no phase: expand", null],
  ])("with %j is %s", (body, phase) => {
    expect(readPhase(body)).toBe(phase);
  });
});

describe("a contract migration", () => {
  const file = (filename: string, phase: "expand" | "contract" | null) => ({ filename, phase });

  it("causes a warning after an expand migration, which names the last of these", () => {
    const files = [file("1", "expand"), file("2", "expand"), file("3", null), file("4", "contract")];
    expect(phaseWarnings(files)).toEqual([expect.stringMatching(/^4 contracts, but would run together with 2, which/)]);
  });

  it("causes no warning alone or before an expand migration", () => {
    expect(phaseWarnings([file("1", "contract"), file("2", "expand")])).toEqual([]);
    expect(phaseWarnings([file("1", null), file("2", "contract")])).toEqual([]);
  });
});
