/** Which stack a thing in a Docker engine belongs to, and what it is in it. Everything that the kit makes there carries these. */
export interface DockerOwner {
  project: string;
  stack: string;
  /** What it is for: `postgres`, `data`, `config`, `scratch`, … */
  role: string;
}

const prefix = "pgroundwork.";

/** The labels of an owner's thing. */
export function labelsOf({ project, stack, role }: DockerOwner): Record<string, string> {
  return { [`${prefix}project`]: project, [`${prefix}stack`]: stack, [`${prefix}role`]: role };
}

/** Labels to list by what is a stack's; `role` and `owner` narrow it. */
export function labelsToFind(wanted: Omit<DockerOwner, "role"> & { role?: string; owner?: string }): string[] {
  return Object.entries(wanted)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${prefix}${key}=${value}`);
}
