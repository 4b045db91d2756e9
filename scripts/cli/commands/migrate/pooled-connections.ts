import { upCommand } from "../../../model/command-lines.ts";
import { localStack } from "../../../stack/local-stack.ts";
import type { CommandContext } from "../../context.ts";
import type { Target, TargetOptions } from "../../target.ts";

/**
 * Makes the stack's pooler replace its server connections. Every command that changes tables calls it afterwards.
 * Prints the reason if the pooler could not.
 */
export async function renewConnections(
  context: CommandContext,
  { server }: Pick<Target, "server">,
  { stack }: TargetOptions,
): Promise<void> {
  if (server?.pooler === undefined) return;
  const { renewPooledConnections } = await import("../../../docker/pooler.ts");
  const reason = await renewPooledConnections(server);
  if (reason === undefined) return;
  context.out.note(
    [
      `The pooler has kept its server connections, on which prepared statements can fail: ${reason}`,
      `  Replace them: \`${upCommand(stack ?? localStack)}\``,
    ].join("\n"),
  );
}
