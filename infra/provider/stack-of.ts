import { fileURLToPath } from "node:url";

/** The clone that this plugin is part of: relative folders in inputs start here, so that a moved clone keeps its state. */
export const cloneRoot = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");

/** Stack and project of a resource: `urn:pulumi:STACK::PROJECT::TYPE::NAME`. */
export function stackOf(urn: string): { stack: string; project: string } {
  const [prefix = "", project = ""] = urn.split("::");
  return { stack: prefix.slice("urn:pulumi:".length), project };
}
