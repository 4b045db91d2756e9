import { begunErasure, type ErasedPlace, isServerPlace } from "../begun-erasure.ts";
import { localStack } from "../stacks.ts";
import type { RecoveryContext, StackLeftover } from "./leftover.ts";

/** Finds an unfinished erasure of the stack. The user who requested it decides if it is continued. */
export function unfinishedErasure({ root, stack }: RecoveryContext): StackLeftover[] {
  const places = begunErasure(root, stack);
  if (places.length === 0) return [];
  const option = stack === localStack ? "" : ` --stack ${stack}`;
  return [
    {
      kind: "files",
      found: `an erasure of stack "${stack}" was not finished: ${places.map(describe).join(", ")}`,
      advice: `To finish it: npm run pgw -- destroy --erase ${stack}${option}. Otherwise the next \`up\` cancels it and adopts the data that is left.`,
    },
  ];
}

function describe(place: ErasedPlace): string {
  return isServerPlace(place) ? place.dataDirectory : place.volumes.map((name) => `the volume ${name}`).join(", ");
}
