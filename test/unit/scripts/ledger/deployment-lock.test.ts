import { describe, expect, it } from "vitest";
import { describeHolder } from "../../../../scripts/ledger/deployment-lock.ts";

describe("the holder of a deployment lock", () => {
  it("is described by what is visible of its session", () => {
    const since = new Date("2026-01-02T03:04:05Z");
    const holder = {
      pid: 7,
      applicationName: "pgroundwork migrate",
      user: "shop_migrator",
      address: "10.0.0.1",
      since,
    };
    expect(describeHolder(holder)).toBe(
      "pgroundwork migrate (pid 7, shop_migrator from 10.0.0.1, connected since 2026-01-02T03:04:05.000Z)",
    );
    expect(describeHolder({ pid: 7, applicationName: null, user: null, address: null, since: null })).toBe(
      "another session (pid 7)",
    );
  });
});
