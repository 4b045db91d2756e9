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
}

/** Name of a stack. Stacks of several project directories can have the same name. */
export type StackName = Pick<DockerOwner, "project" | "stack">;

const prefix = "pgroundwork.";

/** Returns the labels of an object. */
export function labelsOf({ owner, project, role, stack }: DockerOwner): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ owner, project, role, stack }).map(([key, value]) => [prefix + key, value]),
  );
}

/**
 * Returns labels to list a stack's objects by. Without `owner` they also match stacks of the same name in other project
 * directories.
 */
export function labelsToFind(wanted: StackName & { role?: string; owner?: string }): string[] {
  return Object.entries(wanted)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${prefix}${key}=${value}`);
}
