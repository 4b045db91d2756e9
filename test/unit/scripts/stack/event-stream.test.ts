import { describe, expect, it } from "vitest";
import { EventStream, type OperationEvent } from "../../../../scripts/stack/event-stream.ts";

const urn = "urn:pulumi:local::pgroundwork::pgroundwork:components:Database$postgresql:index/role:Role::shop-app";
const type = "postgresql:index/role:Role";

interface Step {
  op: string;
  diffs?: string[] | null;
  outputs?: Record<string, unknown>;
  of?: string;
  as?: string;
}

/** Has a stream follow steps, each begun and ended. */
function follow(steps: Step[]): { stream: EventStream; told: OperationEvent[] } {
  const told: OperationEvent[] = [];
  const stream = new EventStream((event) => told.push(event), false);
  for (const { op, diffs = null, outputs = {}, of = urn, as = type } of steps) {
    // As the engine writes it: null where there is nothing.
    const metadata = { op, urn: of, type: as, diffs, detailedDiff: null, old: null, new: { inputs: {}, outputs } };
    stream.line(JSON.stringify({ resourcePreEvent: { metadata } }));
    stream.line(JSON.stringify({ resOutputsEvent: { metadata } }));
  }
  return { stream, told };
}

const found = { login: false, connectionLimit: 3 };

describe("an adoption in the engine's event stream", () => {
  it("and the update that corrects what was found are one change", () => {
    const { stream, told } = follow([
      { op: "import", outputs: found },
      { op: "update", diffs: ["login", "connectionLimit"] },
    ]);
    const change = {
      action: "adopt",
      type,
      name: "shop-app",
      properties: ["connectionLimit", "login"],
      found: ["NOLOGIN", "connection limit 3"],
      pending: [],
    };
    expect(stream.changes).toEqual([change]);
    expect(told.at(-1)).toEqual({ kind: "finished", change });
    expect(told.map((event) => event.kind === "message" || event.change.action)).toEqual(Array(4).fill("adopt"));
    expect(stream.unchanged).toBe(0);
  });

  it("that needs no correction is one change, too", () => {
    const { stream } = follow([{ op: "import", outputs: { login: true, connectionLimit: -1 } }, { op: "same" }]);
    expect(stream.changes).toMatchObject([{ action: "adopt", properties: [], found: ["LOGIN"] }]);
    expect(stream.unchanged).toBe(0);
  });

  it("changes nothing in how other resources are told", () => {
    const other = urn.replace("shop-app", "shop-readonly");
    const { stream } = follow([
      { op: "import", outputs: found },
      { op: "update", diffs: ["login"], of: other },
      { op: "same", of: other.replace("readonly", "owner") },
      { op: "update", diffs: ["login"] },
    ]);
    expect(stream.changes.map(({ action, name }) => `${action} ${name}`)).toEqual([
      "adopt shop-app",
      "update shop-readonly",
    ]);
    expect(stream.unchanged).toBe(1);
  });
});

describe("a provider in the engine's event stream", () => {
  const provider = { of: urn.replace("shop-app", "server-admin"), as: "pulumi:providers:postgresql" };

  it("that logs in otherwise from now on changes nothing", () => {
    const { stream, told } = follow([{ op: "update", diffs: ["password"], ...provider }]);
    expect([stream.changes, stream.unchanged, told]).toEqual([[], 1, []]);
  });

  it("that is made is told", () => {
    const { stream } = follow([{ op: "create", ...provider }]);
    expect(stream.changes).toMatchObject([{ action: "create", name: "server-admin" }]);
  });
});
