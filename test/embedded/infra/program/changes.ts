import type { ResourceChange } from "../../../../scripts/stack/event-stream.ts";
import type { Clone, Finished } from "../../clone.ts";

/** Runs a command and returns its changes, one line for each, such as `update shop-app: login`. */
export async function changesOf(clone: Clone, command: "up" | "preview" | "refresh"): Promise<string[]> {
  return changesIn(await clone.succeed(command, "--json"));
}

/** Formats the changes in a command's JSON output, one line for each. */
export function changesIn({ stdout }: Finished): string[] {
  const { changes } = JSON.parse(stdout) as { changes: ResourceChange[] };
  return changes.map(({ action, name, properties, pending, found }) => {
    const details = (pending.length > 0 ? pending : properties).join(", ");
    if (found !== undefined) return `${action} ${name}: ${found.join(", ")}; ${details}`;
    return details === "" ? `${action} ${name}` : `${action} ${name}: ${details}`;
  });
}
