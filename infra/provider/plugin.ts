import type { Plugin } from "../provider-protocol/resource-type.ts";
import { functionToken, resourceToken } from "./token.ts";

/** The kit's own provider plugin, for resources that no official plugin has. */
export const plugin: Plugin = {
  name: "pgroundwork",
  version: "0.1.0",
  schema: async () => JSON.stringify((await import("./schema/schema.ts")).schema),
  configuration: undefined,
  types: {
    [resourceToken("AdminMembership")]: async () => (await import("./admin-membership.ts")).adminMembership,
    [resourceToken("BackupPassphrase")]: async () => (await import("./backup-passphrase.ts")).backupPassphrase,
    [resourceToken("BackupStanza")]: async () => (await import("./backup-stanza.ts")).backupStanza,
    [resourceToken("CertificateAuthority")]: async () =>
      (await import("./certificate-authority.ts")).certificateAuthority,
    [resourceToken("ContainerLimits")]: async () => (await import("./container-limits.ts")).containerLimits,
    [resourceToken("ContainerProcess")]: async () => (await import("./container-process.ts")).containerProcess,
    [resourceToken("ContainerServer")]: async () => (await import("./container-server.ts")).containerServer,
    [resourceToken("DockerNames")]: async () => (await import("./docker-names.ts")).dockerNames,
    [resourceToken("EmbeddedServer")]: async () => (await import("./embedded-server.ts")).embeddedServer,
    [resourceToken("ExtensionPrivileges")]: async () => (await import("./extension-privileges.ts")).extensionPrivileges,
    [resourceToken("Jobs")]: async () => (await import("./jobs.ts")).jobs,
    [resourceToken("Migrations")]: async () => (await import("./migrations.ts")).migrations,
    [resourceToken("Partitions")]: async () => (await import("./partitions.ts")).partitions,
    [resourceToken("Password")]: async () => (await import("./password.ts")).password,
    [resourceToken("Port")]: async () => (await import("./port.ts")).port,
    [resourceToken("Ready")]: async () => (await import("./ready.ts")).ready,
    [resourceToken("Seeds")]: async () => (await import("./seeds.ts")).seeds,
    [resourceToken("ServerCertificate")]: async () => (await import("./server-certificate.ts")).serverCertificate,
    [resourceToken("ServerSettings")]: async () => (await import("./server-settings.ts")).serverSettings,
    [resourceToken("Takeover")]: async () => (await import("./takeover.ts")).takeover,
    [resourceToken("VolumeFiles")]: async () => (await import("./volume-files.ts")).volumeFiles,
  },
  functions: {
    [functionToken("availableExtensions")]: async () => (await import("./available-extensions.ts")).availableExtensions,
    [functionToken("dockerState")]: async () => (await import("./docker-state.ts")).dockerState,
    [functionToken("existingObjects")]: async () => (await import("./existing-objects.ts")).existingObjects,
    [functionToken("missingRights")]: async () => (await import("./missing-rights.ts")).missingRights,
  },
};
