import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { pathToFileURL } from "node:url";
import type Docker from "dockerode";
import { labelsToFind, type StackName } from "../model/labels.ts";

/** Names of a stack's objects in a Docker engine, and the mark of their owner. */
export interface DockerNames {
  /** First part of every name: `pgroundwork-dev`. */
  prefix: string;
  /** Distinguishes stacks of the same name in different project directories, each with its own state. */
  owner: string;
}

/**
 * Returns the owner mark of a stack, which distinguishes it from others of its name. It is derived from the backend
 * that stores the state, or from the project directory if the backend is a folder in it. A file backend also includes
 * the host name: another machine can have the same path and use the same Docker engine.
 *
 * @param backend `PULUMI_BACKEND_URL`; undefined: the one in Pulumi.yaml, a folder in the project directory
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

/** Roles of volumes. The docker provider would adopt a volume with such a name, whatever its owner. */
const volumeRoles = ["data", "config", "run", "backup", "backup-metrics"];

/**
 * Chooses the names of a stack whose state has none. Uses the names of its data volume if that exists, because the
 * state may be lost and the data not. Otherwise uses the plain names, or longer ones if a volume of another owner has a
 * plain one.
 */
export async function chooseNames(docker: Docker, stack: StackName, owner: string): Promise<DockerNames> {
  const plain = `${stack.project}-${stack.stack}`;
  const [{ Volumes: data }, { Volumes: named }] = await Promise.all([
    docker.listVolumes({ filters: { label: labelsToFind({ ...stack, role: "data" }) } }),
    docker.listVolumes({ filters: { name: [plain] } }),
  ]);
  const isOwn = ({ Labels }: { Labels?: Record<string, string> }) => Labels?.["pgroundwork.owner"] === owner;
  // The engine returns null if there are none.
  const own = (data ?? []).find(isOwn);
  if (own !== undefined) return { prefix: own.Name.replace(/-data$/, ""), owner };
  const names = volumeRoles.map((role) => `${plain}-${role}`);
  const isTaken = (named ?? []).some((volume) => names.includes(volume.Name) && !isOwn(volume));
  return { prefix: isTaken ? `${plain}-${owner.slice(0, 6)}` : plain, owner };
}
