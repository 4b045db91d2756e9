import type { ResourceName } from "../token.ts";
import { dockerHost, type ResourceSpec, secret, text, whole } from "./property.ts";

/** What it does for backups. */
export const backups = {
  BackupPassphrase: {
    description: "What a stack's backups are encrypted with; kept with the cluster, too, and taken over from there.",
    inputs: { dockerHost, image: text("Id of an image that is there."), volume: text("The cluster's volume.") },
    required: ["image", "volume"],
    outputs: { result: secret("The passphrase.") },
  },
  BackupStanza: {
    description: "A repository takes a server's write-ahead log: a segment was switched, and arrived.",
    inputs: {
      dockerHost,
      container: text("Name of the container that makes backups."),
      containerId: text("Its id."),
      server: text("Name of the server's container."),
      serverId: text("Its id."),
      revision: text("Of the configuration: with another one it is tried again."),
      timeoutSeconds: whole("How long a segment may take to arrive, in seconds. Default: 60."),
    },
    required: ["container", "containerId", "server", "serverId", "revision"],
    outputs: { archiving: text("What was found of the archive; empty: nothing wrong.") },
  },
} satisfies Partial<Record<ResourceName, ResourceSpec>>;
