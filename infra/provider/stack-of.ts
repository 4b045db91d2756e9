import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ownerOf } from "../../scripts/docker/names.ts";
import type { Properties } from "../plugin/values.ts";

/** The clone that this plugin is part of: relative folders in inputs start here, so that a moved clone keeps its state. */
export const cloneRoot = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");

/** The folder that a resource's input names, as a path. */
export function folderOf(inputs: Properties): string {
  return join(cloneRoot, String(inputs.folder));
}

/** Stack and project of a resource: `urn:pulumi:STACK::PROJECT::TYPE::NAME`. */
export function stackOf(urn: string): { stack: string; project: string } {
  const [prefix = "", project = ""] = urn.split("::");
  return { stack: prefix.slice("urn:pulumi:".length), project };
}

/** Whose a resource's things in a Docker engine are. */
export function dockerOwnerOf(urn: string): { stack: string; project: string; owner: string } {
  return { ...stackOf(urn), owner: ownerOf(process.env.PULUMI_BACKEND_URL, cloneRoot) };
}
