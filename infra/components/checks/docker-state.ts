import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import { dockerState } from "../../provider/sdk/functions.ts";

export interface ComparedServer {
  dockerHost: string | undefined;
  /** Name of the server whose objects are compared. Omit for all of the stack. */
  server?: string | undefined;
}

/** Trigger of an image that is built for the first time. */
const firstTrigger = "1";

/**
 * Compares the state with the Docker engine before anything is declared. An `up` removes objects that a killed run left
 * in the engine, since the official plugin does not adopt them.
 *
 * @returns the replacement trigger of an image's resource; null if the state could not be read
 * @throws RunError if an object cannot be removed, or if the project directory is a copy of the stack's
 */
export async function compareWithEngine(compared: ComparedServer): Promise<(resource: string) => string | null> {
  const state = await dockerState({ ...compared, project: pulumi.getProject(), stack: pulumi.getStack() });
  if (!state.known) {
    if (state.reason !== undefined)
      void pulumi.log.warn(`The state could not be compared with the Docker engine: ${state.reason}`);
    return () => null;
  }
  if (state.fault !== undefined) throw new RunError(state.fault);
  for (const thing of state.removed ?? [])
    void pulumi.log.info(`removed: ${thing} of this stack, which was not in its state`);
  const triggers = new Map(state.imageTriggers.map((each) => each.split(" ") as [string, string]));
  return (resource) => triggers.get(resource) ?? firstTrigger;
}
