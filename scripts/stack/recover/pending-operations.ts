import type { Stack } from "../stack.ts";
import { readState, type StackState, writeState } from "../stack-state.ts";
import type { StackLeftover } from "./leftover.ts";

/**
 * Finds operations that the state lists as pending since a run ended. The engine does not know their result and repeats
 * its warning. Every resource of the kit adopts existing objects, so the result does not matter.
 */
export function interruptedOperations(stack: Stack, state: StackState | undefined): StackLeftover[] {
  const names = (state?.deployment.pending_operations ?? []).map(({ resource }) => describe(resource.urn));
  if (names.length === 0) return [];
  return [
    {
      kind: "pending-operation",
      found: `the state has pending operations of ${names.length} ${names.length === 1 ? "resource" : "resources"}: ${names.join(", ")}`,
      action: "clear them in the state; the next `up` continues from the resources that exist",
      act: () => clear(stack),
    },
  ];
}

/**
 * Clears pending operations like `pulumi refresh --clear-pending-creates`, but without reading the resources. The
 * server need not run.
 */
async function clear(stack: Stack): Promise<boolean> {
  const state = await readState(stack);
  if (state === undefined || (state.deployment.pending_operations ?? []).length === 0) return false;
  // The engine refuses this while another run works on the stack.
  await writeState(stack, withoutPending(state));
  return true;
}

/** Returns a state without pending operations. */
export function withoutPending(state: StackState): StackState {
  const { pending_operations: _, ...deployment } = state.deployment;
  return { ...state, deployment };
}

/** Describes a resource: `urn:pulumi:STACK::PROJECT::PARENT$postgresql:index/role:Role::shop-app` -> `Role shop-app` */
function describe(urn: string): string {
  const [, , type = "", name = ""] = urn.split("::");
  return `${type.slice(type.lastIndexOf(":") + 1)} ${name}`;
}
