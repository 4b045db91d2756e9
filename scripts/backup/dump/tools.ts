import { OperationError } from "../../core/operation-error.ts";
import { DockerUnreachable } from "../../docker/docker-error.ts";
import { type ScratchDocker, scratchMajor } from "../../scratch/request.ts";
import type { DumpTools } from "./programs.ts";

/** Places to look for the programs. */
export interface ToolPlace {
  /** Major version of the server. */
  major: number;
  /** Docker engine to use, if the server runs in it or if this machine has no suitable programs. */
  docker: ScratchDocker | undefined;
  env: NodeJS.ProcessEnv;
  onProgress?: ((text: string) => void) | undefined;
}

/** Error if no pg_dump of a server's major version was found. */
export class NoDumpTools extends OperationError {}

/**
 * Runs work with the programs of the server's major version: those of the stack's image if the server runs in a
 * container, otherwise those of this machine, otherwise those of the kit's image if a Docker engine answers.
 *
 * @throws NoDumpTools if there are none
 */
export async function withDumpTools<T>(place: ToolPlace, work: (tools: DumpTools) => Promise<T>): Promise<T> {
  const { docker, major, env, onProgress } = place;
  if (docker?.imageOf !== undefined) {
    const { withContainerTools } = await import("./container-tools.ts");
    return withContainerTools(docker, onProgress, (tools) => {
      requireMajor(tools, major);
      return work(tools);
    });
  }
  const { findLocalTools } = await import("./local-tools.ts");
  const local = await findLocalTools(major, env);
  if (local.found) return work(local.tools);
  const container = await containerReason(place);
  if (container === undefined && docker !== undefined) {
    const { withContainerTools } = await import("./container-tools.ts");
    return withContainerTools(docker, onProgress, work);
  }
  throw new NoDumpTools(
    `The server is PostgreSQL ${major}, and no pg_dump of version ${major} was found: ${local.reason}; ${container}.`,
    { hint: `Install PostgreSQL's client programs (Debian: postgresql-client-${major}), or start a Docker engine.` },
  );
}

/** Returns the reason why no container of the kit's image can be used. undefined: it can. */
async function containerReason({ docker, major }: ToolPlace): Promise<string | undefined> {
  if (docker === undefined) return "no Docker engine is configured";
  if (major !== scratchMajor) return `pgroundwork's image has version ${scratchMajor}`;
  const { withDocker } = await import("../../docker/client.ts");
  try {
    await withDocker(docker.host, (engine) => engine.ping());
    return undefined;
  } catch (error) {
    if (error instanceof DockerUnreachable) return error.message.replace(/^No/, "no").replace(/\.$/, "");
    throw error;
  }
}

function requireMajor({ version, location }: DumpTools, major: number): void {
  if (Number.parseInt(version, 10) === major) return;
  throw new OperationError(`The server is PostgreSQL ${major}, but pg_dump in ${location} is ${version}.`, {
    hint: "Run `up`, which replaces the container of an older image.",
  });
}
