/** Resource types of the kit's own plugin. */
export type ResourceName =
  | "AdminMembership"
  | "BackupPassphrase"
  | "BackupStanza"
  | "CertificateAuthority"
  | "ContainerLimits"
  | "ContainerProcess"
  | "ContainerServer"
  | "DockerNames"
  | "EmbeddedServer"
  | "ExtensionPrivileges"
  | "Jobs"
  | "Migrations"
  | "Partitions"
  | "Password"
  | "Port"
  | "Ready"
  | "Seeds"
  | "ServerCertificate"
  | "ServerSettings"
  | "Takeover"
  | "VolumeFiles";

/** Functions of the kit's own plugin. */
export type FunctionName = "availableExtensions" | "dockerState" | "existingObjects" | "missingRights";

/** Returns a function's token, as in the schema. */
export function functionToken(name: FunctionName): string {
  return `pgroundwork:index:${name}`;
}

/** Returns a type's token, as in URNs, state and schema. */
export function resourceToken(name: ResourceName): string {
  return `pgroundwork:index:${name}`;
}
