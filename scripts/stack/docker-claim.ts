import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { readFileIfThere, writeFileAtomically } from "../core/atomic-file.ts";
import { isSameDirectory } from "../core/same-directory.ts";
import { makeEnterable } from "../server/folders.ts";

/*
 * Every object of a stack in a Docker engine has its owner mark. A copy of a project directory has the state of the
 * original, and with it the original's mark. So a record in the data home names the directory that works with the
 * objects. For embedded servers, the record in the server's folder does this.
 */

/** Objects of a stack in a Docker engine. */
export interface MarkedObjects {
  /** See `dataHome`. */
  home: string;
  project: string;
  stack: string;
  /** Owner mark: see `ownerOf`. */
  owner: string;
}

interface DockerClaim {
  /** Project directory that brought the objects up last. */
  clone: string;
  project: string;
  stack: string;
  kitVersion: string;
}

/** Folder of the records in the data home. */
export const claimsFolder = "docker-stacks";

/** Records the project directory that works with a stack's objects in a Docker engine. */
export async function claimObjects(objects: MarkedObjects, clone: string): Promise<void> {
  const former = claimantOf(objects);
  if (former !== undefined && (await isSameDirectory(former, clone))) return;
  const { project, stack } = objects;
  const claim: DockerClaim = { clone, project, stack, kitVersion: packageJson.version };
  await makeEnterable(dirname(claimFile(objects)));
  writeFileAtomically(claimFile(objects), `${JSON.stringify(claim, null, 2)}\n`, { mode: 0o644 });
}

/** Returns the project directory in the record. Returns undefined if there is none, or if it is invalid. */
export function claimantOf(objects: MarkedObjects): string | undefined {
  try {
    const claim = JSON.parse(readFileIfThere(claimFile(objects)) ?? "null") as Partial<DockerClaim> | null;
    return typeof claim?.clone === "string" ? claim.clone : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Deletes the record of objects that were erased. */
export async function forgetClaim(objects: MarkedObjects): Promise<void> {
  await rm(claimFile(objects), { force: true });
}

function claimFile({ home, project, stack, owner }: MarkedObjects): string {
  return join(home, claimsFolder, `${project}-${stack}-${owner}.json`);
}
