import { expect, it } from "vitest";
import { pendingFindings, withoutPending } from "../../../../scripts/recover/pending-operations.ts";
import type { StackState, StateAccess } from "../../../../scripts/stack/stack-state.ts";

const access = { stack: "local" } as StateAccess;
const role = "urn:pulumi:local::shop::pgroundwork:components:Database$postgresql:index/role:Role::shop-app";
const database = "urn:pulumi:local::shop::postgresql:index/database:Database::shop";

function state(...urns: string[]): StackState {
  const resources = [{ urn: database, type: "postgresql:index/database:Database", outputs: { name: "shop" } }];
  return {
    version: 3,
    deployment: { resources, pending_operations: urns.map((urn) => ({ type: "creating", resource: { urn } })) },
  };
}

it("a stack without a state, or one that was finished, has nothing pending", () => {
  expect(pendingFindings(access, undefined)).toEqual([]);
  expect(pendingFindings(access, state())).toEqual([]);
});

it("what was being created is named by type and name, and cleared in the state", () => {
  expect(pendingFindings(access, state(role, database))).toMatchObject([
    {
      kind: "pending-operation",
      found: "the state has 2 resources as being changed: Role shop-app, Database shop",
      action: "clear that in the state; `up` takes over what is there",
    },
  ]);
  expect(pendingFindings(access, state(role))[0]?.found).toBe(
    "the state has 1 resource as being changed: Role shop-app",
  );
});

it("clearing leaves everything else of the state as it is", () => {
  expect(withoutPending(state(role))).toEqual({
    version: 3,
    deployment: { resources: state().deployment.resources },
  });
});
