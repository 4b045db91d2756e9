import { ownerOf } from "../docker/names.ts";
import type { ScratchDocker } from "./request.ts";

/**
 * Returns this machine's own Docker engine, for work that belongs to no stack.
 *
 * @param root folder in which the work runs, for the labels of its containers
 */
export function machineDocker(root: string): ScratchDocker {
  return { owner: { project: "pgroundwork", stack: "no-stack", owner: ownerOf(undefined, root) } };
}
