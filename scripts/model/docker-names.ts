import { createHash } from "node:crypto";
import type { StackName } from "./labels.ts";

/** A server of a stack. */
export interface StackServer extends StackName {
  /** Its name. Omit for the one server of the kit's own program. */
  server?: string | undefined;
}

/** Returns the prefix of the names of a server's objects in a Docker engine, if no other server has it. */
export function plainPrefix({ project, stack, server }: StackServer): string {
  return [project, stack, ...(server === undefined ? [] : [server])].join("-");
}

/** Returns a prefix that no other server has. */
export function longPrefix(server: StackServer, owner: string): string {
  return `${plainPrefix(server)}-${suffixOf(server, owner)}`;
}

/**
 * Returns the name of the server whose objects have a prefix. The names in the state are kept if the server gets
 * another name in the program, and with them its labels.
 *
 * @returns undefined for the one server of the kit's own program
 */
export function serverOfPrefix(prefix: string, stack: StackName, owner: string): string | undefined {
  const { project, stack: name } = stack;
  const unnamed = { project, stack: name };
  const plain = plainPrefix(unnamed);
  if (!prefix.startsWith(`${plain}-`) || prefix === longPrefix(unnamed, owner)) return undefined;
  const rest = prefix.slice(plain.length + 1);
  const shorter = rest.replace(/-[0-9a-f]{6}$/, "");
  return prefix === longPrefix({ ...unnamed, server: shorter }, owner) ? shorter : rest;
}

function suffixOf({ project, stack, server }: StackServer, owner: string): string {
  const identity = server === undefined ? owner : digest(JSON.stringify([owner, project, stack, server]));
  return identity.slice(0, 6);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
