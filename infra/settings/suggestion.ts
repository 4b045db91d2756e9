import { nearest } from "../../scripts/database/nearest.ts";

/** How a message about an unknown name ends: with the name that was most likely meant, or else with all there are. */
export function suggestion(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  if (meant !== undefined) return `; did you mean '${meant}'?`;
  return known.length === 0 ? "; there are none" : `; there are: ${known.join(", ")}`;
}
