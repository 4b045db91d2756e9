import { describe, expect, it } from "vitest";
import { OperationError } from "../../../../scripts/core/operation-error.ts";
import { changesData, drillWarning, requireDrill, type StackDrills } from "../../../../scripts/stack/drill-gate.ts";
import type { ResourceChange } from "../../../../scripts/stack/event-stream.ts";

const change = (type: string, name: string, pending: string[] = []): ResourceChange => ({
  ...{ type, name, pending, action: "update", properties: [] },
});
const migration = change("pgroundwork:index:Migrations", "shop-migrations", ["000002-a.sql"]);
const plan = { schedule: "0 3 1 * *", maxAgeSeconds: 1, checks: true, required: true };
const overdue = { state: "overdue" as const, text: "The last one is old." };

describe("a required drill", () => {
  const refused = async (drills: StackDrills, changes: ResourceChange[], hasNewFiles = false) => {
    try {
      await requireDrill(drills, { name: "production" }, changes, async () => hasNewFiles);
    } catch (error) {
      if (error instanceof OperationError) return error;
      throw error;
    }
    return undefined;
  };

  it.each(["none", "failed", "overdue", "clock", "unknown"] as const)(
    "refuses changes of data if it is %s",
    async (state) => {
      const error = await refused({ plan, state: { state, text: "The last one is old." } }, [migration]);
      expect(error?.message).toBe(
        'The last one is old. Stack "production" requires a current drill before its data is changed (update shop-migrations).',
      );
      expect(error?.hint).toBe(
        "Nothing was changed. Run a drill, or set required: false in pgroundwork:backups drill.\n    npm run pgw -- backup drill --stack production",
      );
      expect(error?.exitCode).toBe(3);
    },
  );

  it("allows everything if it is current, or if none is required", async () => {
    expect(await refused({ plan, state: { state: "current", text: "" } }, [migration])).toBeUndefined();
    expect(await refused({ plan: { ...plan, required: false }, state: overdue }, [migration])).toBeUndefined();
  });

  it("allows what changes no data, so that a stopped server can be started", async () => {
    const others = ["docker:index/container:Container", "pgroundwork:index:ContainerServer", "pgroundwork:index:Ready"];
    const started = others.map((type) => change(type, "x"));
    expect(await refused({ plan, state: overdue }, started)).toBeUndefined();
    expect(await refused({ plan, state: overdue }, [])).toBeUndefined();
  });

  it("refuses what a stopped server cannot be asked for only if there are new files", async () => {
    const unasked = change("pgroundwork:index:Migrations", "shop-migrations", ["pending unknown, the server is down"]);
    expect(await refused({ plan, state: overdue }, [unasked])).toBeUndefined();
    expect((await refused({ plan, state: overdue }, [unasked], true))?.message).toContain("(update shop-migrations)");
  });

  it("names at most five changes", async () => {
    const roles = Array.from("abcdefg", (name) => change("postgresql:index/role:Role", name));
    const error = await refused({ plan, state: overdue }, roles);
    expect(error?.message).toContain("(update a, update b, update c, update d, update e, 2 more)");
  });
});

describe("a change of data", () => {
  it.each([
    ["postgresql:index/database:Database", true],
    ["docker:index/volume:Volume", true],
    ["pgroundwork:index:Seeds", true],
    ["pgroundwork:index:VolumeFiles", false],
  ])("%s: %s", (type, expected) => {
    expect(changesData({ type, action: "replace", pending: [] })).toBe(expected);
  });

  it("is not a volume that does not exist yet", () => {
    const volume = { type: "docker:index/volume:Volume", action: "create", pending: [] };
    expect(changesData(volume)).toBe(false);
  });
});

describe("a warning of drills", () => {
  it("is given unless they are current, and names the command", () => {
    expect(drillWarning({ plan, state: { state: "current", text: "x" } }, "local")).toBeUndefined();
    expect(drillWarning({ plan, state: overdue }, "local")).toBe(
      "The last one is old. Run a drill:\n    npm run pgw -- backup drill",
    );
  });
});
