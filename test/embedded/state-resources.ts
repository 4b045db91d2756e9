import type { StateResource } from "../../scripts/stack/stack-state.ts";
import { storedResources } from "../../scripts/stack/stored-state.ts";
import type { Clone } from "./clone.ts";

/** Returns the resources of one type from a stack's state on disk. */
export async function readStateResources({ root, env }: Clone, stack: string, type: string): Promise<StateResource[]> {
  const resources = await storedResources({ root, env, project: "pgroundwork", stack });
  return resources.filter((each) => each.type === type);
}
