import type { ServerOutput } from "../model/stack-outputs.ts";
import { withDocker } from "./client.ts";
import { runInContainer } from "./run-in-container.ts";

/**
 * Makes the stack's pooler replace its server connections, each when its transaction ends. After a table has changed,
 * prepared statements of older connections fail with "cached plan must not change result type".
 *
 * @returns the reason if it could not; undefined if it did, or if there is no pooler
 */
export async function renewPooledConnections(server: ServerOutput | undefined): Promise<string | undefined> {
  if (server?.kind !== "docker" || server.pooler === undefined) return undefined;
  const { container } = server.pooler;
  try {
    const { code, stderr } = await withDocker(server.dockerHost, (docker) =>
      runInContainer(docker, container, { command: ["pooler-console", "RECONNECT"] }),
    );
    return code === 0 ? undefined : stderr.trim();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
