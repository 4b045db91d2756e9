import { dockerHost, type ResourceDefinition, secret, text, whole } from "./property.ts";

/** Resources for backups. */
export const backups = {
  BackupPassphrase: {
    load: async () => (await import("../resources/backups/backup-passphrase.ts")).backupPassphrase,
    description:
      "Passphrase that encrypts a stack's backups. The cluster's volume has a copy, which a new stack adopts.",
    inputs: { dockerHost, image: text("Id of an existing image."), volume: text("Name of the cluster's volume.") },
    required: ["image", "volume"],
    outputs: { result: secret("The passphrase.") },
  },
  BackupStanza: {
    load: async () => (await import("../resources/backups/backup-stanza.ts")).backupStanza,
    description: "A backup repository that receives a server's WAL. A WAL switch has verified it.",
    inputs: {
      dockerHost,
      container: text("Name of the backup container."),
      containerId: text("Id of the backup container."),
      server: text("Name of the server's container."),
      serverId: text("Id of the server's container."),
      revision: text("Revision of the configuration. The check runs again when it changes."),
      timeoutSeconds: whole("Limit for archiving one segment, in seconds. Default: 60."),
    },
    required: ["container", "containerId", "server", "serverId", "revision"],
    outputs: { archiving: text("Problem with the archive. Empty if there is none.") },
  },
} satisfies Record<string, ResourceDefinition>;
