import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { withDocker } from "../docker/client.ts";
import { hasDrifted, viewStack } from "../docker/drift.ts";
import { projectName } from "./project.ts";
import type { Stack } from "./stack.ts";
import type { StateResource } from "./stack-state.ts";
import { resourcesOrNone } from "./stored-state.ts";

const volumeType = "docker:index/volume:Volume";

/**
 * Returns true if a stack's state needs a refresh because of changes in its Docker engine. The Pulumi engine does not
 * look there by itself.
 *
 * @param host Docker engine in the settings
 * @throws OperationError if the volume with the stack's data is gone, because it would be created again, empty
 */
export async function hasDriftedInDocker(stack: Stack, host: string | undefined): Promise<boolean> {
  const project = await projectName(stack.root);
  return withDocker(host, async (docker) => {
    const [view, resources] = await Promise.all([
      viewStack(docker, { project, stack: stack.name }),
      resourcesOrNone(stack),
    ]);
    if (!hasDrifted(view, resources)) return false;
    await requireData(docker, stack.name, host, resources);
    return true;
  });
}

async function requireData(
  docker: Docker,
  stack: string,
  host: string | undefined,
  resources: readonly StateResource[],
): Promise<void> {
  const data = resources.find(({ type, urn }) => type === volumeType && urn.endsWith("::server-data"));
  const name = data?.outputs?.name;
  if (typeof name !== "string") return;
  const { Volumes } = await docker.listVolumes({ filters: { name: [name] } });
  if ((Volumes ?? []).some(({ Name }) => Name === name)) return;
  const option = stack === "local" ? "" : ` --stack ${stack}`;
  throw new OperationError(
    `The Docker engine of ${host ?? process.env.DOCKER_HOST ?? "this machine"} does not have the volume ${name} with the data of stack "${stack}".`,
    {
      hint: `If the data is on another engine, correct pgroundwork:dockerHost (or DOCKER_HOST). To start with empty databases: npm run pgw -- refresh${option}, then \`up\`.`,
    },
  );
}
