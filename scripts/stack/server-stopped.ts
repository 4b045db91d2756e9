import { existsSync } from "node:fs";
import { withClient } from "../connection/client.ts";
import { ConnectionError } from "../connection/connection-error.ts";
import { OperationError } from "../core/operation-error.ts";
import { upCommand } from "../model/command-lines.ts";
import type { StackOutputs } from "../model/stack-outputs.ts";
import { serverConnection } from "./outputs.ts";
import { whyStopped } from "./server-state.ts";

/**
 * Checks that a stack's server can be queried. Otherwise every role, grant and database would fail separately for the
 * same reason.
 *
 * @returns an error if the server is stopped or unreachable; undefined if it answers, or refuses for another reason
 */
export async function serverStopped(outputs: StackOutputs, stack: string): Promise<OperationError | undefined> {
  const { server } = outputs;
  // If the data is gone, the server's own resource reports it.
  if (server.kind === "embedded" && !existsSync(server.dataDirectory)) return undefined;
  if ((await whyStopped(server)) !== undefined) {
    return new OperationError(`The server of stack "${stack}" is stopped, so it cannot be compared with the state.`, {
      hint: `Start it: ${upCommand(stack)}`,
    });
  }
  try {
    await withClient(serverConnection(outputs), async () => undefined);
    return undefined;
  } catch (error) {
    const isAway = error instanceof ConnectionError && ["unreachable", "starting"].includes(error.failure);
    return isAway ? error : undefined;
  }
}
