import type Docker from "dockerode";
import { NotKnown } from "../connection/observer.ts";
import type { Known } from "../core/known.ts";
import { OperationError } from "../core/operation-error.ts";
import { withDocker } from "../docker/client.ts";

/**
 * Returns a reader of what only a container has. It throws NotKnown if the engine does not answer or refuses the
 * request. Every other error is a fault of the kit, and is thrown as it is.
 *
 * @param dockerHost undefined: this machine's own engine
 */
export function engineReader<Value>(
  dockerHost: string | undefined,
  container: string,
  read: (docker: Docker, container: string) => Promise<Value>,
): () => Promise<Value> {
  return async () => {
    try {
      return await withDocker(dockerHost, (docker) => read(docker, container));
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      throw new NotKnown(error.message);
    }
  };
}

/** Returns what a reader reads, or the reason why it is not known. */
export async function knownOf<Value>(read: () => Promise<Value>): Promise<Known<{ value: Value }>> {
  try {
    return { known: true, value: await read() };
  } catch (error) {
    if (!(error instanceof NotKnown)) throw error;
    return { known: false, reason: error.message };
  }
}
