import type { ResourceName } from "../token.ts";
import { dockerHost, flag, type ResourceSpec, secret, text, textByName, texts, whole } from "./property.ts";

/** What the plugin does in a Docker engine. */
export const containers = {
  VolumeFiles: {
    description: "Files in a Docker volume that are postgres's alone, renewed in place.",
    inputs: {
      dockerHost,
      image: text("Id of an image that is there."),
      volume: text("Name of the volume."),
      files: { ...textByName("Contents by path below the volume."), secret: true },
    },
    required: ["image", "volume", "files"],
    outputs: { revision: text("Another one for other contents.") },
  },
  ServerSettings: {
    description: "Settings of postgresql.conf that an image's PostgreSQL accepts.",
    inputs: {
      dockerHost,
      image: text("Id of the image."),
      settings: textByName("Settings of postgresql.conf, values as text."),
    },
    required: ["image", "settings"],
    outputs: { text: text("The text of postgresql.conf.") },
  },
  ContainerServer: {
    description: "The server in a container runs, has read its files, and its superuser has the password.",
    inputs: {
      dockerHost,
      container: text("Name of the container."),
      containerId: text("Its id."),
      revision: text("Of its files: another one has the server read them again."),
      settings: textByName("Settings of postgresql.conf, for what previews say of their changes."),
      superuserPassword: secret("Password of the role postgres."),
      timeoutSeconds: whole("How long a start may take until SQL runs, in seconds. Default: 60."),
    },
    required: ["container", "containerId", "revision", "settings", "superuserPassword"],
    outputs: { running: flag("Whether the container runs.") },
  },
  ContainerProcess: {
    description: "The process of a container runs, has read its files, and passes a check.",
    inputs: {
      dockerHost,
      container: text("Name of the container."),
      containerId: text("Its id."),
      revision: text("Of its files: another one has it read them again. Default: it has none."),
      reload: texts("A command in the container that has it read its files again. Default: it is started again."),
      check: texts("A command in the container that says on stderr what is wrong."),
      timeoutSeconds: whole("How long it may take to pass the check, in seconds. Default: 60."),
    },
    required: ["container", "containerId", "check"],
    outputs: { running: flag("Whether the container runs.") },
  },
  DockerNames: {
    description: "Under what names a stack's things stand in a Docker engine; chosen once, then kept.",
    inputs: { dockerHost },
    required: [],
    outputs: { prefix: text("Every name begins with it."), owner: text("Mark of what is the stack's own.") },
  },
  Port: {
    description: "A TCP port that a container can have: the one that is asked for, or one that was free, and is kept.",
    inputs: {
      dockerHost,
      port: whole("Which one. Default: one that is free, chosen once."),
      address: text("On which address of the engine's machine it is to be open."),
    },
    required: ["address"],
    outputs: { port: whole("The port.") },
  },
} satisfies Partial<Record<ResourceName, ResourceSpec>>;
