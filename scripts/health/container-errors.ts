import type Docker from "dockerode";
import { readContainerFile } from "../docker/container-file.ts";
import { countsPath, parseCountedErrors } from "./counted-errors.ts";
import type { ErrorCounts } from "./logged-errors.ts";

/**
 * Reads the errors that a server's container has counted in its log.
 *
 * @throws NotKnown if there are no counts, or only old ones
 */
export async function readContainerErrors(docker: Docker, container: string): Promise<ErrorCounts> {
  return parseCountedErrors(await readContainerFile(docker.getContainer(container), countsPath), container);
}
