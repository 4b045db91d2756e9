import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { pathToFileURL } from "node:url";
import type Docker from "dockerode";
import { longPrefix, plainPrefix, type StackServer } from "../model/docker-names.ts";
import { labelPrefix, labelsOf, labelsToFind } from "../model/labels.ts";

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
const volumeRoles = [
  ...["data", "config", "run", "log", "backup", "backup-2", "backup-metrics"],
  ...["drill-config", "drill-run", "drill-evidence", "dumps"],
];

/**
 * Chooses the names of a server's objects if the state has none. Uses the names of its data volume if that exists,
 * because the state may be lost and the data not. Otherwise uses the plain names, or longer ones if a volume of another
 * server has a plain one.
 */
export async function chooseNames(docker: Docker, server: StackServer, owner: string): Promise<DockerNames> {
  const plain = plainPrefix(server);
  const [{ Volumes: data }, { Volumes: named }] = await Promise.all([
    docker.listVolumes({ filters: { label: labelsToFind({ ...server, role: "data" }) } }),
    docker.listVolumes({ filters: { name: [plain] } }),
  ]);
  const isOwn = ({ Labels }: { Labels?: Record<string, string> }) => belongsTo(Labels ?? {}, server, owner);
  // The engine returns null if there are none.
  const own = (data ?? []).find(isOwn);
  if (own !== undefined) return { prefix: own.Name.replace(/-data$/, ""), owner };
  const names = volumeRoles.map((role) => `${plain}-${role}`);
  const isTaken = (named ?? []).some((volume) => names.includes(volume.Name) && !isOwn(volume));
  return { prefix: isTaken ? longPrefix(server, owner) : plain, owner };
}

/**
 * Returns true if an object has the labels of this server. Names are not enough: server `b-c` of stack `a` and server
 * `c` of stack `a-b` have the same plain names.
 */
function belongsTo(labels: Readonly<Record<string, string>>, server: StackServer, owner: string): boolean {
  const expected = labelsOf({ ...server, owner, role: labels[`${labelPrefix}role`] ?? "" });
  const keys = ["owner", "project", "server", "stack"].map((key) => labelPrefix + key);
  return keys.every((key) => labels[key] === expected[key]);
}
