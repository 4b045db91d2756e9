import { expect, it } from "vitest";
import { interruptedOperations, withoutPending } from "../../../../../scripts/stack/recover/pending-operations.ts";
import type { Stack } from "../../../../../scripts/stack/stack.ts";
import type { StackState } from "../../../../../scripts/stack/stack-state.ts";

const stack = { name: "local" } as Stack;
const role = "urn:pulumi:local::shop::pgroundwork:components:Database$postgresql:index/role:Role::shop-app";
const database = "urn:pulumi:local::shop::postgresql:index/database:Database::shop";

function state(...urns: string[]): StackState {
  const resources = [{ urn: database, type: "postgresql:index/database:Database", outputs: { name: "shop" } }];
  return {
    version: 3,
    deployment: { resources, pending_operations: urns.map((urn) => ({ type: "creating", resource: { urn } })) },
  };
}

it("a stack without state or pending operations has no leftovers", () => {
  expect(interruptedOperations(stack, undefined)).toEqual([]);
  expect(interruptedOperations(stack, state())).toEqual([]);
});

it("pending operations are reported by type and name, to be cleared in the state", () => {
  expect(interruptedOperations(stack, state(role, database))).toMatchObject([
    {
      kind: "pending-operation",
      found: "the state has pending operations of 2 resources: Role shop-app, Database shop",
      action: "clear them in the state; the next `up` continues from the resources that exist",
    },
  ]);
  expect(interruptedOperations(stack, state(role))[0]?.found).toBe(
    "the state has pending operations of 1 resource: Role shop-app",
  );
});

it("clearing pending operations does not change the rest of the state", () => {
  expect(withoutPending(state(role))).toEqual({
    version: 3,
    deployment: { resources: state().deployment.resources },
  });
});
