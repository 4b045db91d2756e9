import type { ResourceChange } from "../../../../scripts/stack/event-stream.ts";
import type { Clone } from "../../clone.ts";

/** What a command did, or in a preview would do, a line each: `update shop-app: login`. */
export async function changesOf(clone: Clone, command: "up" | "preview" | "refresh"): Promise<string[]> {
  const { stdout } = await clone.succeed(command, "--json");
  const { changes } = JSON.parse(stdout) as { changes: ResourceChange[] };
  return changes.map(({ action, name, properties, pending, found }) => {
    const details = (pending.length > 0 ? pending : properties).join(", ");
    if (found !== undefined) return `${action} ${name}: ${found.join(", ")}; ${details}`;
    return details === "" ? `${action} ${name}` : `${action} ${name}: ${details}`;
  });
}
