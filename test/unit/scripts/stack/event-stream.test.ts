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
  parent?: string;
}

/** Makes a stream follow steps, each with its begin and end. */
function follow(steps: Step[]): { stream: EventStream; told: OperationEvent[] } {
  const told: OperationEvent[] = [];
  const stream = new EventStream((event) => told.push(event), false);
  for (const { op, diffs = null, outputs = {}, of = urn, as = type, parent = "" } of steps) {
    // The engine writes null for a missing value.
    const metadata = {
      op,
      urn: of,
      type: as,
      diffs,
      detailedDiff: null,
      old: null,
      new: { inputs: {}, outputs, parent },
    };
    stream.line(JSON.stringify({ resourcePreEvent: { metadata } }));
    stream.line(JSON.stringify({ resOutputsEvent: { metadata } }));
  }
  return { stream, told };
}

const found = { login: false, connectionLimit: 3 };

describe("an adoption in the engine's event stream", () => {
  it("is one change together with the update that corrects it", () => {
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

  it("is one change without a correction, too", () => {
    const { stream } = follow([{ op: "import", outputs: { login: true, connectionLimit: -1 } }, { op: "same" }]);
    expect(stream.changes).toMatchObject([{ action: "adopt", properties: [], found: ["LOGIN"] }]);
    expect(stream.unchanged).toBe(0);
  });

  it("does not affect the changes of other resources", () => {
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

describe("the migrations of a database in the engine's event stream", () => {
  const migrations = { of: urn.replace("shop-app", "shop-migrations"), as: "pgroundwork:index:Migrations" };

  it("are unchanged if only the list of applied files differs, which another command has applied", () => {
    const { stream, told } = follow([{ op: "update", diffs: ["applied"], ...migrations }]);
    expect([stream.changes, stream.unchanged, told]).toEqual([[], 1, []]);
  });

  it("are a change if anything else differs", () => {
    const { stream } = follow([
      { op: "update", diffs: ["pending"], ...migrations },
      { op: "update", diffs: ["applied", "folder"], ...migrations },
    ]);
    expect(stream.changes.map(({ properties }) => properties)).toEqual([["pending"], ["applied", "folder"]]);
    expect(stream.unchanged).toBe(0);
  });
});

describe("a resource in the engine's event stream", () => {
  it("has the database of the component that contains it", () => {
    const parent = "urn:pulumi:local::pgroundwork::pgroundwork:components:Database::shop";
    const inServer = "urn:pulumi:local::pgroundwork::pgroundwork:components:EmbeddedServer::server";
    const { stream } = follow([
      { op: "create", parent },
      { op: "create", parent: inServer },
    ]);
    expect(stream.changes.map(({ database }) => database)).toEqual(["shop", undefined]);
  });
});

describe("a provider in the engine's event stream", () => {
  const provider = { of: urn.replace("shop-app", "server-admin"), as: "pulumi:providers:postgresql" };

  it("is no change if only its login differs", () => {
    const { stream, told } = follow([{ op: "update", diffs: ["password"], ...provider }]);
    expect([stream.changes, stream.unchanged, told]).toEqual([[], 1, []]);
  });

  it("is a change if it is created", () => {
    const { stream } = follow([{ op: "create", ...provider }]);
    expect(stream.changes).toMatchObject([{ action: "create", name: "server-admin" }]);
  });
});

it("a plugin's panic over an unreadable state is an error, whatever severity the engine gives it", () => {
  const stream = new EventStream(() => undefined, false);
  const panic = "panic: fatal: Data integrity error: __pulumi_raw_state_delta does not apply cleanly";
  for (const message of [panic, "a line of the plugin's log"])
    stream.line(JSON.stringify({ diagnosticEvent: { severity: "info#err", message: `${message}\n` } }));
  expect(stream.errors).toEqual([panic]);
});

describe("the program's error that the engine is gone", () => {
  const dropped = `Running program 'false' failed with an unhandled exception:
<ref *1> Error: 14 UNAVAILABLE: Connection dropped
    at callErrorFromStatus (/project/node_modules/@grpc/grpc-js/build/src/call.js:32:19)`;
  const line = (message: string) => JSON.stringify({ diagnosticEvent: { severity: "error", message } });

  it("is left out after the error of a resource, which is its cause", () => {
    const { stream, told } = follow([]);
    stream.line(line("The image is not in the Docker engine."));
    stream.line(line(dropped));
    expect(stream.errors).toEqual(["The image is not in the Docker engine."]);
    expect(told).toHaveLength(1);
  });

  it("is shown if there is no other error", () => {
    const { stream } = follow([]);
    stream.line(line(dropped));
    expect(stream.errors).toEqual([dropped]);
  });
});
