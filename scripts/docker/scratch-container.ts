import type Docker from "dockerode";
import { type DockerOwner, labelsOf } from "./labels.ts";

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

/** Has a container for the time of some work, created and not started. A killed run leaves it behind, with its stack's labels and the role `scratch`. */
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
    Labels: labelsOf({ ...owner, role: "scratch" }),
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
  }
}
