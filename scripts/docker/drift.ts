import type Docker from "dockerode";
import { labelsToFind, type StackName } from "./labels.ts";

/**
 * Whether something of a stack in a Docker engine is visibly not as `up` leaves it: a container that does not run, is in no network of the stack's, or is gone while
 * the stack's data is there. The engine itself compares declarations with its state alone; where this is true, the state has to be refreshed first.
 *
 * It may be true of another clone's stack of the same name: a refresh too many does no harm.
 */
export async function hasDrifted(docker: Docker, stack: StackName): Promise<boolean> {
  const label = labelsToFind(stack);
  const [containers, { Volumes: volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters: { label } }),
    docker.listVolumes({ filters: { label: labelsToFind({ ...stack, role: "data" }) } }),
  ]);
  if (volumes.length === 0) return false;
  const lasting = containers.filter(({ Labels }) => Labels["pgroundwork.role"] !== "scratch");
  if (!lasting.some(({ Labels }) => Labels["pgroundwork.role"] === "postgres")) return true;
  return lasting.some(({ State, NetworkSettings }) => State !== "running" || isAlone(NetworkSettings?.Networks ?? {}));
}

/** Of a container that was taken out of its network nothing is left there; one that never had one has `none`. */
function isAlone(networks: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(networks).length === 0;
}
