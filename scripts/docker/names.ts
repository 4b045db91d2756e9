import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { pathToFileURL } from "node:url";
import type Docker from "dockerode";
import { labelsToFind, type StackName } from "./labels.ts";

/** Under what names a stack's things stand in a Docker engine, and by which mark they are its own. */
export interface DockerNames {
  /** Every name begins with it: `pgroundwork-dev`. */
  prefix: string;
  /** Tells two stacks of one name apart: those of two clones, each with a state of its own. */
  owner: string;
}

/**
 * Who a stack is beside others of its name: the backend that keeps its state, or the clone where it is the clone's own folder. What is kept in files is this
 * machine's: another one can have the same folder, and the same Docker engine.
 *
 * @param backend `PULUMI_BACKEND_URL`; undefined: what Pulumi.yaml says, which is the clone's own folder
 */
export function ownerOf(backend: string | undefined, clone: string): string {
  return createHash("sha256").update(identityOf(backend, clone)).digest("hex").slice(0, 12);
}

function identityOf(backend: string | undefined, clone: string): string {
  if (backend === undefined || backend === "" || /^file:\/\/(?![/~])/.test(backend)) return `${hostname()}:${clone}`;
  if (!backend.startsWith("file://")) return backend;
  const isOwnFolder = backend.startsWith(`${pathToFileURL(clone).href}/`);
  return `${hostname()}:${isOwnFolder ? clone : backend}`;
}

/**
 * Chooses the names of a stack whose state knows none: those that its data has there already, since the state may have been lost and the data not; else the plain
 * ones; else, where another clone has taken these, longer ones.
 */
export async function chooseNames(docker: Docker, stack: StackName, owner: string): Promise<DockerNames> {
  const plain = `${stack.project}-${stack.stack}`;
  const filters = { label: labelsToFind({ ...stack, role: "data" }) };
  const { Volumes: data } = await docker.listVolumes({ filters });
  const own = data.find(({ Labels }) => Labels?.["pgroundwork.owner"] === owner);
  if (own !== undefined) return { prefix: own.Name.replace(/-data$/, ""), owner };
  const isTaken = data.some(({ Name }) => Name === `${plain}-data`);
  return { prefix: isTaken ? `${plain}-${owner.slice(0, 6)}` : plain, owner };
}
