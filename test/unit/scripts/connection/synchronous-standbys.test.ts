import { describe, expect, it } from "vitest";
import { describeLacking, lackingStandbys } from "../../../../scripts/connection/synchronous-standbys.ts";

describe("the number of synchronous standbys that are not connected", () => {
  it.each([
    ["", [], 0],
    ["  ", [], 0],
    ["*", [], 1],
    ["*", ["walreceiver"], 0],
    ["a", ["b"], 1],
    ["a, b", ["B"], 0],
    ['"a b", c', ["A B"], 0],
    ["2 (a, b, c)", ["a"], 1],
    ["FIRST 2 (a, b)", ["a", "b"], 0],
    ["any 2 (*)", ["x", "y", "z"], 0],
    ["ANY 3(*)", ["x"], 2],
  ])("follows synchronous_standby_names = '%s' with %j connected", (names, connected, lacking) => {
    expect(lackingStandbys({ names, level: "on" }, connected)).toBe(lacking);
  });

  it.each(["off", "local", "LOCAL", "false", "no", "0", "f"])("is none with synchronous_commit = %s", (level) => {
    expect(lackingStandbys({ names: "*", level }, [])).toBe(0);
  });

  it.each(["on", "true", "1", "remote_write", "remote_apply"])("counts with synchronous_commit = %s", (level) => {
    expect(lackingStandbys({ names: "*", level }, [])).toBe(1);
  });

  it("is described with the setting", () => {
    const settings = { names: "2 (a, b)", level: "on" };
    expect(describeLacking(settings, 1)).toContain("for a synchronous standby that is not connected");
    expect(describeLacking(settings, 2)).toContain("for 2 synchronous standbys that are not connected");
    expect(describeLacking(settings, 2)).toContain("(synchronous_standby_names = '2 (a, b)')");
  });
});
