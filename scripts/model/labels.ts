/**
 * The stack that an object in a Docker engine belongs to, and its role. All objects that the kit creates have these
 * labels.
 */
export interface DockerOwner {
  project: string;
  stack: string;
  /** Distinguishes two stacks of the same name: see `ownerOf`. */
  owner: string;
  /** Purpose of the object: `postgres`, `data`, `config`, `scratch`, … */
  role: string;
  /** Server in the stack. Omit for the one server of the kit's own program. */
  server?: string | undefined;
}

/** Name of a stack. Stacks of several project directories can have the same name. */
export type StackName = Pick<DockerOwner, "project" | "stack">;

/** Beginning of the name of every label. */
export const labelPrefix = "pgroundwork.";

/** Returns the labels of an object. */
export function labelsOf({ owner, project, role, server, stack }: DockerOwner): Record<string, string> {
  const values = { owner, project, role, ...(server === undefined ? {} : { server }), stack };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [labelPrefix + key, value]));
}

/**
 * Returns labels to list a stack's objects by. Without `owner` they also match stacks of the same name in other project
 * directories, and without `server` all servers of the stack.
 */
export function labelsToFind(wanted: StackName & Partial<DockerOwner>): string[] {
  const { owner, project, role, server, stack } = wanted;
  return Object.entries({ owner, project, role, server, stack })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${labelPrefix}${key}=${value}`);
}
