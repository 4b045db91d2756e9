import { dockerHost, flag, type ResourceDefinition, secret, text, textByName, texts, whole } from "./property.ts";

/** Resources in a Docker engine. */
export const containers = {
  VolumeFiles: {
    load: async () => (await import("../resources/containers/volume-files.ts")).volumeFiles,
    description: "Files in a Docker volume that only postgres can read, updated in place.",
    inputs: {
      dockerHost,
      image: text("Id of an existing image."),
      volume: text("Name of the volume."),
      files: { ...textByName("File contents by path inside the volume."), secret: true },
    },
    required: ["image", "volume", "files"],
    outputs: { revision: text("Digest of the contents. It changes when they change.") },
  },
  ServerSettings: {
    load: async () => (await import("../resources/containers/server-settings.ts")).serverSettings,
    description: "Settings of postgresql.conf, with which a throwaway cluster of the image's PostgreSQL has started.",
    inputs: {
      dockerHost,
      image: text("Id of the image."),
      settings: textByName("Settings of postgresql.conf, with values as text."),
      memoryMb: whole("Memory of the server's container, in MB."),
      shmSizeMb: whole("Size of /dev/shm in the server's container, in MB."),
      container: text("Name of the server's container, whose data must allow a start with the settings."),
    },
    required: ["image", "settings", "memoryMb", "shmSizeMb", "container"],
    outputs: { text: text("The text of postgresql.conf.") },
  },
  ContainerServer: {
    load: async () => (await import("../resources/containers/container-server.ts")).containerServer,
    description: "A server in a container. It runs, has read its files, and its superuser has the given password.",
    inputs: {
      dockerHost,
      container: text("Name of the container."),
      containerId: text("Id of the container."),
      revision: text("Revision of the server's files. The server reads them again when it changes."),
      settings: textByName("Settings of postgresql.conf, from which previews describe changes."),
      superuserPassword: secret("Password of the role postgres."),
      timeoutSeconds: whole("Limit for a start until SQL runs, in seconds. Default: 60."),
    },
    required: ["container", "containerId", "revision", "settings", "superuserPassword"],
    outputs: { running: flag("Whether the container runs.") },
  },
  ContainerLimits: {
    load: async () => (await import("../resources/containers/container-limits.ts")).containerLimits,
    description: "Limits of a container that the docker provider cannot declare.",
    inputs: {
      dockerHost,
      container: text("Name of the container."),
      containerId: text("Id of the container."),
      processes: whole("Maximum number of processes and threads in the container."),
    },
    required: ["container", "containerId", "processes"],
    outputs: {},
  },
  ContainerProcess: {
    load: async () => (await import("../resources/containers/container-process.ts")).containerProcess,
    description: "The process of a container. It runs, has read its files, and passes a check.",
    inputs: {
      dockerHost,
      container: text("Name of the container."),
      containerId: text("Id of the container."),
      revision: text("Revision of the files. The process reads them again when it changes. Omit if it has no files."),
      reload: texts("Command in the container that reloads the files. Default: restart the container."),
      check: texts("Command in the container that checks it and prints problems to stderr."),
      timeoutSeconds: whole("Limit for passing the check, in seconds. Default: 60."),
    },
    required: ["container", "containerId", "check"],
    outputs: { running: flag("Whether the container runs.") },
  },
  DockerNames: {
    load: async () => (await import("../resources/containers/docker-names.ts")).dockerNames,
    description: "Names of a server's objects in a Docker engine, chosen once and kept.",
    inputs: { dockerHost, server: text("Name of the server. Default: the only one of the stack.") },
    required: [],
    outputs: {
      prefix: text("Prefix of all names."),
      owner: text("Value of the label that marks the stack's objects."),
    },
  },
  Port: {
    load: async () => (await import("../resources/containers/port.ts")).port,
    description: "A TCP port for a container: the requested port, or a free one. It is chosen once and kept.",
    inputs: {
      dockerHost,
      port: whole("Requested port. Default: a free port, chosen once."),
      address: text("Address of the engine's machine on which the port is open."),
    },
    required: ["address"],
    outputs: { port: whole("The port.") },
  },
} satisfies Record<string, ResourceDefinition>;
