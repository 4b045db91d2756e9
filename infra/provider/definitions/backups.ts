import { dockerHost, type ResourceDefinition, secret, text, textByName, whole } from "./property.ts";

/** Resources for backups. */
export const backups = {
  BackupPassphrase: {
    load: async () => (await import("../resources/backups/backup-passphrase.ts")).backupPassphrase,
    description:
      "Passphrases that encrypt a stack's backups. The cluster's volume has a copy, which a new stack adopts.",
    inputs: {
      dockerHost,
      image: text("Id of an existing image."),
      volume: text("Name of the cluster's volume."),
      passphrase: secret("Passphrase to use instead of a new one."),
      generation: whole("Number of the current generation of the repositories. Default: 1."),
    },
    required: ["image", "volume"],
    outputs: {
      result: secret("The passphrase of the current generation."),
      former: {
        ...textByName("Passphrases of former generations, by their number. Omitted for the first generation."),
        secret: true,
      },
    },
  },
  RestoredCluster: {
    load: async () => (await import("../resources/backups/restored-cluster.ts")).restoredCluster,
    description:
      "The cluster in a stack's volume before its server starts: an empty one, or one from its remote repository.",
    inputs: {
      dockerHost,
      image: text("Id of an existing image."),
      volume: text("Name of the cluster's volume."),
      configurationVolume: text("Name of the volume with pgBackRest's configuration."),
      configurationFile: text("Name of pgBackRest's file in it."),
      repositoryVolume: text("Name of the volume with notes of the backups."),
      network: text("Name of the network through which the repository is reached."),
      serverContainer: text("Name that the server's container will have."),
      backupContainer: text("Name that the backup container will have."),
      restore: text("`latest`, or the time to restore. Omit to start with an empty cluster."),
    },
    required: [
      "image",
      "volume",
      "configurationVolume",
      "configurationFile",
      "repositoryVolume",
      "network",
      "serverContainer",
      "backupContainer",
    ],
    outputs: {},
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
  EvidenceKey: {
    load: async () => (await import("../resources/backups/evidence-key.ts")).evidenceKey,
    description: "Key pair (Ed25519) that signs the evidence of restore drills. It never changes.",
    inputs: {},
    required: [],
    outputs: { privateKey: secret("Private key, PEM (PKCS #8)."), publicKey: text("Public key, PEM.") },
  },
  DrillEvidence: {
    load: async () => (await import("../resources/backups/drill-evidence.ts")).drillEvidence,
    description: "Number and hash of the newest evidence of restore drills. Each `up` copies them into the state.",
    inputs: {
      dockerHost,
      container: text("Name of the drill container."),
      containerId: text("Id of the drill container."),
      publicKey: text("Public key of the evidence, PEM."),
    },
    required: ["container", "containerId", "publicKey"],
    outputs: {
      number: whole("Number of the newest evidence. 0 if there is none."),
      hash: text("SHA-256 of the newest evidence, in hex."),
    },
  },
} satisfies Record<string, ResourceDefinition>;
