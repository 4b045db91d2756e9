import { nearest } from "../core/nearest.ts";

/** Returns the end of a message about an unknown name: the nearest known name, or else all known names. */
export function suggestion(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  if (meant !== undefined) return `; did you mean '${meant}'?`;
  return known.length === 0 ? "; there are none" : `; there are: ${known.join(", ")}`;
}
