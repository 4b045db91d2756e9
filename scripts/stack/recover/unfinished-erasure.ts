import { begunErasure, type ErasedPlace, isServerPlace } from "../begun-erasure.ts";
import type { Stack } from "../stack.ts";
import { localStack } from "../stacks.ts";
import type { StackLeftover } from "./leftover.ts";

/** Finds an unfinished erasure of the stack. The user who requested it decides if it is continued. */
export function unfinishedErasure({ root, name }: Stack): StackLeftover[] {
  const places = begunErasure(root, name);
  if (places.length === 0) return [];
  const option = name === localStack ? "" : ` --stack ${name}`;
  return [
    {
      kind: "files",
      found: `an erasure of stack "${name}" was not finished: ${places.map(describe).join(", ")}`,
      advice: `To finish it: npm run pgw -- destroy --erase ${name}${option}. Otherwise the next \`up\` cancels it and adopts the data that is left.`,
    },
  ];
}

function describe(place: ErasedPlace): string {
  return isServerPlace(place) ? place.dataDirectory : place.volumes.map((name) => `the volume ${name}`).join(", ");
}
