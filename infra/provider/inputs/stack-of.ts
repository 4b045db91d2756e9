import { join } from "node:path";
import { projectFolder } from "../../../scripts/core/kit-folder.ts";
import { ownerOf } from "../../../scripts/docker/names.ts";
import type { Properties } from "../../provider-protocol/values.ts";

/**
 * The project directory. Relative folders in inputs start here, so that a moved project keeps its state. The engine
 * starts a plugin in the folder of the program.
 */
export const cloneRoot = projectFolder();

/** Returns the path of the folder in a resource's inputs. */
export function folderOf(inputs: Properties): string {
  return join(cloneRoot, String(inputs.folder));
}

/** Returns stack and project of a resource: `urn:pulumi:STACK::PROJECT::TYPE::NAME`. */
export function stackOf(urn: string): { stack: string; project: string } {
  const [prefix = "", project = ""] = urn.split("::");
  return { stack: prefix.slice("urn:pulumi:".length), project };
}

/** Returns the owner of a resource's objects in a Docker engine. */
export function dockerOwnerOf(urn: string): { stack: string; project: string; owner: string } {
  return { ...stackOf(urn), owner: ownerOf(process.env.PULUMI_BACKEND_URL, cloneRoot) };
}
