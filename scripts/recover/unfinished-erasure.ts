import { begunErasure, type ErasedPlace, isServerPlace } from "../stack/begun-erasure.ts";
import { localStack } from "../stack/stacks.ts";
import type { Finding, Scene } from "./finding.ts";

/** An erasure of the stack that was begun and not finished: who asked for it decides whether it still shall be. */
export function unfinishedErasure({ root, stack }: Scene): Finding[] {
  const places = begunErasure(root, stack);
  if (places.length === 0) return [];
  const option = stack === localStack ? "" : ` --stack ${stack}`;
  return [
    {
      kind: "files",
      found: `an erasure of stack "${stack}" was not finished: ${places.map(describe).join(", ")}`,
      advice: `To finish it: npm run pgw -- destroy --erase ${stack}${option}. The next \`up\` forgets it, and takes back what is still there.`,
    },
  ];
}

function describe(place: ErasedPlace): string {
  return isServerPlace(place) ? place.dataDirectory : place.volumes.map((name) => `the volume ${name}`).join(", ");
}
