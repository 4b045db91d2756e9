import type { EngineEvent } from "@pulumi/pulumi/automation/events.js";
import { describe, expect, it } from "vitest";
import { changesIn } from "../../../support/versions/resource-changes.ts";

const container = "pgroundwork:index:ContainerServer";
const migrations = "pgroundwork:index:Migrations";

interface Step {
  op: string;
  type?: string;
  name?: string;
  diffs?: string[];
  /** URN in the state, if it differs. */
  before?: string;
  inputs?: Record<string, unknown>;
}

function urnOf(type: string, name: string, parent = "Database"): string {
  return `urn:pulumi:dev::pgroundwork::pgroundwork:components:${parent}$${type}::${name}`;
}

/** Returns events of a preview in the engine's form, with the fields that are used. */
function eventsOf(...steps: Step[]): EngineEvent[] {
  return steps.map(({ op, type = container, name = "x", diffs, before, inputs = {} }, sequence) => {
    const urn = urnOf(type, name);
    const old = op === "create" ? undefined : { urn: before ?? urn, type };
    const metadata = { op, type, urn, diffs, old, new: { urn, type, inputs } };
    return { sequence, timestamp: 0, resOutputsEvent: { metadata } } as unknown as EngineEvent;
  });
}

describe("the changes in a preview", () => {
  it("are listed once for each resource, without components", () => {
    const events = eventsOf(
      { op: "same" },
      { op: "create", type: "pgroundwork:components:Pooler", name: "pooler" },
      { op: "delete-replaced", name: "a" },
      { op: "replace", name: "a", diffs: ["image"] },
      { op: "create-replacement", name: "a", diffs: ["image"] },
      { op: "create", name: "b" },
      { op: "delete", name: "c" },
    );
    expect(changesIn(events)).toEqual([
      { change: "replace", type: container, name: "a", properties: ["image"] },
      { change: "create", type: container, name: "b", properties: [] },
      { change: "delete", type: container, name: "c", properties: [] },
    ]);
  });

  it("do not include resources that only report a stopped server", () => {
    const events = eventsOf(
      { op: "update", diffs: ["running"] },
      { op: "update", type: migrations, diffs: ["pending"], inputs: { pending: ["pending unknown, server is down"] } },
    );
    expect(changesIn(events)).toEqual([]);
  });

  it("include resources that differ in more than that", () => {
    const events = eventsOf(
      { op: "update", diffs: ["running", "settings"] },
      { op: "update", type: migrations, diffs: ["pending"], inputs: { pending: ["000001-a.sql"] } },
      { op: "update", type: "docker:index/container:Container", name: "server", diffs: ["running"] },
    );
    expect(changesIn(events).map(({ type, properties }) => [type, ...properties])).toEqual([
      [container, "settings"],
      [migrations, "pending"],
      ["docker:index/container:Container", "running"],
    ]);
  });

  it("include a resource with another name or type, but not one whose component was renamed", () => {
    const events = eventsOf(
      { op: "same", name: "a", before: urnOf(container, "b") },
      { op: "same", name: "c", before: urnOf(migrations, "c") },
      { op: "same", name: "d", before: urnOf(container, "d", "OldDatabase") },
    );
    expect(changesIn(events).map(({ change, name }) => `${change} ${name}`)).toEqual(["same a", "same c"]);
  });

  it("are refused with an unknown step", () => {
    expect(() => changesIn(eventsOf({ op: "forget" }))).toThrow('The engine shows a step "forget"');
  });
});
