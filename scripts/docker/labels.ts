/** Which stack a thing in a Docker engine belongs to, and what it is in it. Everything that the kit makes there carries these. */
export interface DockerOwner {
  project: string;
  stack: string;
  /** Tells two stacks of one name apart: see `ownerOf`. */
  owner: string;
  /** What it is for: `postgres`, `data`, `config`, `scratch`, … */
  role: string;
}

/** A stack's name, which stacks of several clones may bear. */
export type StackName = Pick<DockerOwner, "project" | "stack">;

const prefix = "pgroundwork.";

/** The labels of an owner's thing. */
export function labelsOf({ owner, project, role, stack }: DockerOwner): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ owner, project, role, stack }).map(([key, value]) => [prefix + key, value]),
  );
}

/** Labels to list by what is a stack's; without `owner` also what other clones' stacks of its name have. */
export function labelsToFind(wanted: StackName & { role?: string; owner?: string }): string[] {
  return Object.entries(wanted)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${prefix}${key}=${value}`);
}
