import type * as pulumi from "@pulumi/pulumi";

/** Name of the server in the kit's own program. A component of this name continues a stack that a checkout made. */
const ownName = "server";

/** Returns the part of the names of a server's objects that tells it from other servers of the stack. */
export function serverPart(name: string): string | undefined {
  return name === ownName ? undefined : name;
}

/**
 * Separates the option `protect`, also if a parent has it. It is for what holds data: children that an update replaces,
 * such as containers, cannot be protected.
 */
export function separateProtect(options: pulumi.ComponentResourceOptions = {}): {
  protect: boolean;
  rest: pulumi.ComponentResourceOptions;
} {
  // Pulumi keeps the option of a parent here, and copies it to each child.
  const inherited = (options.parent as { __protect?: boolean } | undefined)?.__protect;
  return { protect: options.protect ?? inherited ?? false, rest: { ...options, protect: false } };
}
