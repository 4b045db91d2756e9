import type { Stack } from "../stack.ts";
import { readState, type StackState, type StateResource, writeState } from "../stack-state.ts";
import { deltaKey, deltaMisfit } from "../state-delta.ts";
import type { StackLeftover } from "./leftover.ts";

/**
 * Finds resources whose values contradict the delta that the official plugin stores with them. The plugin panics on
 * them in every command, including a refresh. Without the delta, it accepts the values as they are.
 */
export function stateDeltas(stack: Stack, state: StackState | undefined): StackLeftover[] {
  const broken = (state?.deployment.resources ?? []).filter(isBroken);
  if (broken.length === 0) return [];
  const names = broken.map(({ urn, outputs }) => `${urn.split("::").at(-1)} (${deltaMisfit(outputs ?? {})})`);
  return [
    {
      kind: "state",
      found: `the official provider plugins cannot read the state of ${names.join(", ")}: "Data integrity error"`,
      action: `remove ${deltaKey} from the state of these resources; their values stay`,
      act: () => repair(stack),
    },
  ];
}

async function repair(stack: Stack): Promise<void> {
  const state = await readState(stack);
  if (state !== undefined) await writeState(stack, withoutBrokenDeltas(state));
}

/** Returns a state without the deltas that do not fit. */
export function withoutBrokenDeltas(state: StackState): StackState {
  const resources = (state.deployment.resources ?? []).map((resource) => {
    if (!isBroken(resource)) return resource;
    const { [deltaKey]: _, ...outputs } = resource.outputs ?? {};
    return { ...resource, outputs };
  });
  return { ...state, deployment: { ...state.deployment, resources } };
}

function isBroken({ outputs }: StateResource): boolean {
  return deltaMisfit(outputs ?? {}) !== undefined;
}
