/** The resource types of the kit's own plugin. */
export type ResourceName =
  | "BackupPassphrase"
  | "BackupStanza"
  | "CertificateAuthority"
  | "ContainerProcess"
  | "ContainerServer"
  | "DockerNames"
  | "EmbeddedServer"
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

/** The functions of the kit's own plugin. */
export type FunctionName = "availableExtensions" | "existingObjects";

/** A function's token, as it stands in schema. */
export function functionToken(name: FunctionName): string {
  return `pgroundwork:index:${name}`;
}

/** A type's token, as it stands in URNs, state and schema. */
export function resourceToken(name: ResourceName): string {
  return `pgroundwork:index:${name}`;
}
