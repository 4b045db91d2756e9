import { readState, type StackState, type StateAccess, writeState } from "../stack/stack-state.ts";
import type { Finding } from "./finding.ts";

/**
 * What the state says was being created when a run ended. The engine does not know what became of it and warns for ever; every resource of the kit takes
 * over what is there already, so nothing has to be found out.
 */
export function pendingFindings(access: StateAccess, state: StackState | undefined): Finding[] {
  const names = (state?.deployment.pending_operations ?? []).map(({ resource }) => describe(resource.urn));
  if (names.length === 0) return [];
  return [
    {
      kind: "pending-operation",
      found: `the state has ${names.length} ${names.length === 1 ? "resource" : "resources"} as being changed: ${names.join(", ")}`,
      action: "clear that in the state; `up` takes over what is there",
      act: () => clear(access),
    },
  ];
}

/** As `pulumi refresh --clear-pending-creates` does it, without a look at the resources: the server need not run. */
async function clear(access: StateAccess): Promise<void> {
  const state = await readState(access);
  if ((state?.deployment.pending_operations ?? []).length > 0 && state !== undefined)
    await writeState(access, withoutPending(state));
}

export function withoutPending(state: StackState): StackState {
  const { pending_operations: _, ...deployment } = state.deployment;
  return { ...state, deployment };
}

/** `urn:pulumi:STACK::PROJECT::PARENT$postgresql:index/role:Role::shop-app` -> `Role shop-app` */
function describe(urn: string): string {
  const [, , type = "", name = ""] = urn.split("::");
  return `${type.slice(type.lastIndexOf(":") + 1)} ${name}`;
}
