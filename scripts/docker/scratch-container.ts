import type Docker from "dockerode";
import { type DockerOwner, labelsOf, labelsToFind } from "./labels.ts";
import { holderLabel, ownHolder, scratchHolder } from "./scratch-holder.ts";

export interface ScratchSpec {
  /** Id or name of an image that is there. */
  image: string;
  owner: Omit<DockerOwner, "role">;
  /** What it runs; it is started by whoever uses it. */
  command: readonly string[];
  /** Volumes by where they are mounted. */
  volumes?: Readonly<Record<string, string>>;
  /** Those that it only reads. */
  readOnlyVolumes?: Readonly<Record<string, string>>;
  /** Nothing secret: whoever may ask the engine reads it. */
  environment?: Readonly<Record<string, string>>;
  user?: string;
}

/** Has a container for the time of some work, created and not started. A killed run leaves it behind, with its stack's labels and the role `scratch`, until the next one or `pgw recover`. */
export async function withScratchContainer<T>(
  docker: Docker,
  { image, owner, command, volumes = {}, readOnlyVolumes = {}, environment = {}, user }: ScratchSpec,
  work: (container: Docker.Container) => Promise<T>,
): Promise<T> {
  const mounts = (named: Readonly<Record<string, string>>, isReadOnly: boolean) =>
    Object.entries(named).map(([Target, Source]) => ({ Type: "volume", Source, Target, ReadOnly: isReadOnly }));
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: [...command],
    Cmd: [],
    Labels: { ...labelsOf({ ...owner, role: "scratch" }), [holderLabel]: await ownHolder() },
    ...(user === undefined ? {} : { User: user }),
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      NetworkMode: "none",
      Init: true,
      Mounts: [...mounts(volumes, false), ...mounts(readOnlyVolumes, true)],
    },
  } as Docker.ContainerCreateOptions);
  try {
    return await work(container);
  } finally {
    // Volumes that it has of the image's own go with it.
    await container.remove({ force: true, v: true }).catch(() => {});
    await removeAbandoned(docker, owner).catch(() => {});
  }
}

/** Those of the stack whose work was killed: the run that does the work again takes them away. */
async function removeAbandoned(docker: Docker, owner: Omit<DockerOwner, "role">): Promise<void> {
  const filters = { label: labelsToFind({ ...owner, role: "scratch" }) };
  for (const { Id, Labels } of await docker.listContainers({ all: true, filters })) {
    if ((await scratchHolder(Labels[holderLabel])) === "gone")
      await docker.getContainer(Id).remove({ force: true, v: true });
  }
}
