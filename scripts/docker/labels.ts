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

/** A filter, as Docker's lists take it, for all that is a stack's; `role` narrows it. */
export function labelFilter({ project, stack, role }: Omit<DockerOwner, "role"> & { role?: string }): string {
  const wanted = [`${prefix}project=${project}`, `${prefix}stack=${stack}`];
  if (role !== undefined) wanted.push(`${prefix}role=${role}`);
  return JSON.stringify({ label: wanted });
}
