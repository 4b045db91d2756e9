import { embeddedExtensions, withEmbeddedCluster } from "./embedded-cluster.ts";
import { NotTried, type ScratchCluster, type ScratchRequest } from "./request.ts";

/**
 * Starts a temporary cluster, passes it to `use`, and removes it in any case, even after this process is killed. It
 * runs on the embedded binaries. If these lack an extension, or `use` throws {@link NotTried} on them, a container of
 * the kit's image is used instead.
 *
 * @throws NotTried if no cluster can be started that has everything the work needs; any error of `use`
 */
export async function withScratchCluster<T>(
  request: ScratchRequest,
  use: (cluster: ScratchCluster) => Promise<T>,
): Promise<T> {
  const available = await embeddedExtensions();
  const lacks = (names: readonly string[]) => names.filter((name) => !available.has(name));
  const missing = lacks(request.extensions);
  const wanted = lacks(request.wantedExtensions ?? []);
  let failure: string | undefined;
  if (missing.length + wanted.length > 0) {
    const tried = await inContainer(request, use);
    if (tried.started) return tried.result;
    failure = tried.failure;
    if (missing.length > 0) throw new NotTried(`${missingReason(missing)}${failure}`, { hint: dockerHint });
  }
  try {
    return await withEmbeddedCluster(request, available, use);
  } catch (error) {
    request.signal?.throwIfAborted();
    if (!(error instanceof NotTried)) throw error;
    const tried = failure === undefined ? await inContainer(request, use) : { started: false as const };
    if (tried.started) return tried.result;
    throw error;
  }
}

/** Runs the work in a container. `failure` is the reason why none was started, as the end of a sentence. */
async function inContainer<T>(
  { docker, ...request }: ScratchRequest,
  use: (cluster: ScratchCluster) => Promise<T>,
): Promise<{ started: true; result: T } | { started: false; failure: string }> {
  if (docker === undefined) return { started: false, failure: "" };
  const { ContainerStartError, withContainerCluster } = await import("./container-cluster.ts");
  try {
    return { started: true, result: await withContainerCluster(request, docker, use) };
  } catch (error) {
    request.signal?.throwIfAborted();
    if (!(error instanceof ContainerStartError)) throw error;
    return { started: false, failure: `, and no container could be started: ${error.message}` };
  }
}

const dockerHint =
  "Start a Docker engine: pgroundwork's image has these extensions, and files are then tried in a container.";

function missingReason(missing: readonly string[]): string {
  const names = missing.join(", ");
  return missing.length === 1
    ? `the embedded PostgreSQL does not support the extension ${names}`
    : `the embedded PostgreSQL does not support the extensions ${names}`;
}
