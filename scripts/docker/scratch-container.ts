import type Docker from "dockerode";
import { type DockerOwner, labelsOf, labelsToFind } from "../model/labels.ts";
import { holderLabel, ownHolder, scratchHolder } from "./scratch-holder.ts";

/** Specification of a scratch container. */
export interface ScratchSpec {
  /** Id or name of an image that the engine has. */
  image: string;
  owner: Omit<DockerOwner, "role">;
  /** Command of the container. The caller starts it. */
  command: readonly string[];
  /** Volume names by mount point. */
  volumes?: Readonly<Record<string, string>>;
  /** Names of read-only volumes by mount point. */
  readOnlyVolumes?: Readonly<Record<string, string>>;
  /** Environment variables. They must not contain secrets, because all users of the engine can read them. */
  environment?: Readonly<Record<string, string>>;
  /** Default: postgres, as a number. */
  user?: string;
  /** Capabilities that the process keeps. Default: none. */
  capabilities?: readonly string[];
  /**
   * Folders of the image that the process writes to, each an anonymous volume. Everything else of the image is
   * read-only. A folder in memory would count as the process's memory.
   */
  scratchFolders?: readonly string[];
  /** True if the process writes to any path of the image. */
  writesToImage?: boolean;
  /** Name of the Docker network that the container joins. Default: it has no network. */
  network?: string | undefined;
  /** Memory limit in MB, without swap. Default: 1024. */
  memoryMb?: number | undefined;
  /** Size of /dev/shm in MB. Default: the engine's. */
  shmSizeMb?: number | undefined;
  /** True if the container's input closes when the attached client is gone. The container is removed when it ends. */
  endsWithInput?: boolean;
}

/** User and group of postgres in every image of the kit. */
const postgres = "999:999";

const defaultMemoryMb = 1024;

/** Maximum number of processes and threads. A server with every worker process stays far below it. */
const processes = 512;

/** Share of the CPUs when others need them, too: half of the 1024 that the stack's containers have. */
const cpuShares = 512;

/**
 * Creates a container for the duration of some work, without starting it. It has no network unless one is named, a
 * read-only root filesystem, no capabilities, and limits for memory, processes and CPU time. A killed command leaves
 * the container behind, with its stack's labels and the role `scratch`, until the next such work or `pgw recover`.
 */
export async function withScratchContainer<T>(
  docker: Docker,
  {
    image,
    owner,
    command,
    volumes = {},
    readOnlyVolumes = {},
    environment = {},
    user = postgres,
    capabilities = [],
    scratchFolders = [],
    writesToImage = false,
    network = "none",
    memoryMb = defaultMemoryMb,
    shmSizeMb,
    endsWithInput = false,
  }: ScratchSpec,
  work: (container: Docker.Container) => Promise<T>,
): Promise<T> {
  const mounts = (named: Readonly<Record<string, string>>, isReadOnly: boolean) =>
    Object.entries(named).map(([Target, Source]) => ({ Type: "volume", Source, Target, ReadOnly: isReadOnly }));
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: [...command],
    Cmd: [],
    Labels: { ...labelsOf({ ...owner, role: "scratch" }), [holderLabel]: await ownHolder() },
    User: user,
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    Healthcheck: { Test: ["NONE"] },
    OpenStdin: endsWithInput,
    StdinOnce: endsWithInput,
    HostConfig: {
      NetworkMode: network,
      Init: true,
      AutoRemove: endsWithInput,
      CapDrop: ["ALL"],
      CapAdd: [...capabilities],
      SecurityOpt: ["no-new-privileges"],
      ReadonlyRootfs: !writesToImage,
      Memory: memoryMb * 2 ** 20,
      MemorySwap: memoryMb * 2 ** 20,
      PidsLimit: processes,
      CpuShares: cpuShares,
      ...(shmSizeMb === undefined ? {} : { ShmSize: shmSizeMb * 2 ** 20 }),
      Mounts: [
        ...mounts(volumes, false),
        ...mounts(readOnlyVolumes, true),
        ...scratchFolders.map((Target) => ({ Type: "volume", Source: "", Target, ReadOnly: false })),
      ],
    },
  } as Docker.ContainerCreateOptions);
  try {
    return await work(container);
  } finally {
    // Also removes anonymous volumes.
    await container.remove({ force: true, v: true }).catch(() => {});
    await removeAbandoned(docker, owner).catch(() => {});
  }
}

/** Removes the stack's scratch containers whose work was killed. */
export async function removeAbandoned(docker: Docker, owner: Omit<DockerOwner, "role">): Promise<void> {
  const filters = { label: labelsToFind({ ...owner, role: "scratch" }) };
  for (const { Id, Labels } of await docker.listContainers({ all: true, filters })) {
    if ((await scratchHolder(Labels[holderLabel])) === "gone")
      await docker.getContainer(Id).remove({ force: true, v: true });
  }
}
