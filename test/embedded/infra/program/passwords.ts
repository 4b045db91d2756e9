import type { ServerOutput, StackOutputs } from "../../../../scripts/model/stack-outputs.ts";
import type { Clone } from "../../clone.ts";

/** Outputs of a stack with an embedded server. */
export interface EmbeddedOutputs extends StackOutputs {
  server: Extract<ServerOutput, { kind: "embedded" }>;
}

/** Returns the outputs of a stack, including passwords. */
export async function revealedOutputs(clone: Clone): Promise<EmbeddedOutputs> {
  return (await clone.outputs()) as EmbeddedOutputs;
}

/** Returns all generated passwords of a stack. */
export async function passwordsOf(clone: Clone): Promise<string[]> {
  const { server, databases } = await revealedOutputs(clone);
  const logins = [server.logins, ...Object.values(databases).map((database) => database.logins)];
  return logins.flatMap((byRole) => Object.values(byRole).map(({ password }) => password));
}
