import { describe, expect, it } from "vitest";
import type { Announced } from "../../../support/versions/announced.ts";
import { judge } from "../../../support/versions/judge.ts";
import type { Change, ChangeKind } from "../../../support/versions/resource-changes.ts";

const types = {
  container: "docker:index/container:Container",
  volume: "docker:index/volume:Volume",
  role: "postgresql:index/role:Role",
  password: "pgroundwork:index:Password",
};

const state = {
  resources: [
    { name: "data", retainOnDelete: true },
    { name: "config", retainOnDelete: false },
  ].map(({ name, retainOnDelete }) => ({
    urn: `urn:pulumi:dev::pgroundwork::pgroundwork:components:DockerServer$${types.volume}::${name}`,
    ...{ type: types.volume, inputs: {}, outputs: {}, retainOnDelete },
  })),
};

function changeOf(change: ChangeKind, type: keyof typeof types, name: string): Change {
  return { change, type: types[type], name, properties: [] };
}

/** Announces these changes as CHANGELOG.md would. */
function announce(...changes: Change[]): Announced[] {
  return changes.map(({ change, type, name }) => ({ stack: "dev", change, type, name }));
}

describe("the check of an upgrade's preview", () => {
  it("accepts announced changes", () => {
    const changes = [changeOf("replace", "container", "server"), changeOf("create", "role", "reports")];
    expect(judge("dev", state, changes, announce(...changes))).toEqual([]);
  });

  it("fails for an announced change that does not happen, or happens differently", () => {
    const announced = announce(changeOf("replace", "container", "server"));
    const missing = `replace of ${types.container} server is announced in CHANGELOG.md and does not happen`;
    expect(judge("dev", state, [], announced)).toEqual([missing]);
    expect(judge("dev", state, [changeOf("update", "container", "server")], announced)).toEqual([
      `update of ${types.container} server is not announced in CHANGELOG.md`,
      missing,
    ]);
    expect(judge("local", state, [], announced)).toEqual([]);
  });

  it.each([
    ["delete", "volume", "data"],
    ["replace", "volume", "data"],
    ["delete", "role", "app"],
    ["replace", "role", "app"],
    ["update", "password", "app-password"],
  ] as const)("fails for the %s of a %s even if it is announced", (change, type, name) => {
    const changes = [changeOf(change, type, name)];
    const loss = `${change} of ${types[type]} ${name} would lose data`;
    expect(judge("dev", state, changes, announce(...changes))).toEqual([loss]);
  });

  it("accepts the announced replacement of a volume that is deleted with the stack", () => {
    const changes = [changeOf("replace", "volume", "config")];
    expect(judge("dev", state, changes, announce(...changes))).toEqual([]);
  });
});
