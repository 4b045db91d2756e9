import type { ServerOutput, StackOutputs } from "../../../../scripts/stack/outputs.ts";
import type { Clone } from "../../clone.ts";

/** Of a stack whose server is embedded. */
export interface EmbeddedOutputs extends StackOutputs {
  server: Extract<ServerOutput, { kind: "embedded" }>;
}

/** What the stack exports, passwords included. */
export async function revealedOutputs(clone: Clone): Promise<EmbeddedOutputs> {
  const { stdout } = await clone.succeed("outputs", "--json", "--show-secrets");
  return JSON.parse(stdout) as EmbeddedOutputs;
}

/** Every generated password of a stack. */
export async function passwordsOf(clone: Clone): Promise<string[]> {
  const { server, databases } = await revealedOutputs(clone);
  const logins = [server.logins, ...Object.values(databases).map((database) => database.logins)];
  return logins.flatMap((byRole) => Object.values(byRole).map(({ password }) => password));
}
