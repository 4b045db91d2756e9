import type { Clone, Finished } from "../../../clone.ts";

/**
 * Runs `pulumi` in a shell that evaluated `engine env`.
 *
 * @throws Error with all output if the command fails
 */
export async function pulumi(clone: Clone, args: string): Promise<string> {
  const finished = await tryPulumi(clone, args);
  if (finished.code === 0) return finished.stdout;
  throw new Error(`pulumi ${args} ended with ${finished.code}:\n${finished.stdout}${finished.stderr}`);
}

/** Runs `pulumi` in a shell that evaluated `engine env`, and returns the result of success and failure. */
export function tryPulumi(clone: Clone, args: string): Promise<Finished> {
  const variables = `variables="$(node_modules/.bin/node scripts/pgw.mjs engine env)" && eval "$variables"`;
  return clone.shell(`${variables} && pulumi ${args} --stack local --non-interactive --color never`);
}

/** Returns the URN of the resource with this name. */
export async function urnOf(clone: Clone, name: string): Promise<string> {
  const state = JSON.parse(await pulumi(clone, "stack export")) as { deployment: { resources: { urn: string }[] } };
  const urn = state.deployment.resources.find((resource) => resource.urn.endsWith(`::${name}`))?.urn;
  if (urn === undefined) throw new Error(`The state has no resource ${name}.`);
  return urn;
}
