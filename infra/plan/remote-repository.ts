import type {
  AzureRepository,
  GcsRepository,
  RemoteRepository,
  S3Repository,
  SftpRepository,
} from "../../scripts/model/repository.ts";
import { containerPaths } from "./container.ts";

/** A remote repository with the text of its CA file. */
export type PlannedRemote = RemoteRepository & { ca?: string };

/**
 * Returns the files that a remote repository has in the configuration volume besides pgBackRest's configuration.
 *
 * @param index counted from 1
 */
export function remoteFiles(repository: PlannedRemote, index: number): Record<string, string> {
  const files: Record<string, string> = {};
  if (repository.ca !== undefined) files[nameOf("ca", index)] = repository.ca;
  if (repository.type === "gcs") files[nameOf("key", index)] = repository.key;
  if (repository.type === "sftp") {
    // Editors and Pulumi's command line remove the line break at the end, without which keys cannot be read.
    files[nameOf("key", index)] = `${repository.privateKey.trimEnd()}\n`;
    if (repository.knownHosts !== undefined) files[nameOf("hosts", index)] = `${repository.knownHosts.trimEnd()}\n`;
  }
  return files;
}

/** Returns the options of pgBackRest that say where a remote repository is, without `repo1-`. */
export function remoteOptions(repository: PlannedRemote, index: number): string[] {
  return [
    ...[`type=${repository.type}`, `path=${repository.path}`],
    ...typeOptions(repository, index),
    ...(repository.ca === undefined ? [] : [`storage-ca-file=${pathOf("ca", index)}`]),
  ];
}

function typeOptions(repository: RemoteRepository, index: number): string[] {
  switch (repository.type) {
    case "s3":
      return s3Options(repository);
    case "sftp":
      return sftpOptions(repository, index);
    case "azure":
      return azureOptions(repository);
    case "gcs":
      return gcsOptions(repository, index);
  }
}

function s3Options({ endpoint, region, bucket, uriStyle, key, keySecret }: S3Repository): string[] {
  return [
    `s3-endpoint=${endpoint}`,
    `s3-region=${region}`,
    `s3-bucket=${bucket}`,
    `s3-uri-style=${uriStyle}`,
    `s3-key=${key}`,
    `s3-key-secret=${keySecret}`,
  ];
}

/** The host key is always verified: by its fingerprint, or by known hosts that pgBackRest does not add to. */
function sftpOptions(repository: SftpRepository, index: number): string[] {
  const { host, port, user, hostFingerprint, privateKeyPassphrase } = repository;
  return [
    `sftp-host=${host}`,
    `sftp-host-port=${port}`,
    `sftp-host-user=${user}`,
    "sftp-host-key-hash-type=sha256",
    ...(hostFingerprint === undefined
      ? ["sftp-host-key-check-type=strict", `sftp-known-host=${pathOf("hosts", index)}`]
      : ["sftp-host-key-check-type=fingerprint", `sftp-host-fingerprint=${hexOf(hostFingerprint)}`]),
    `sftp-private-key-file=${pathOf("key", index)}`,
    ...(privateKeyPassphrase === undefined ? [] : [`sftp-private-key-passphrase=${privateKeyPassphrase}`]),
  ];
}

function azureOptions({ account, container, endpoint, uriStyle, key, sas }: AzureRepository): string[] {
  return [
    `azure-account=${account}`,
    `azure-container=${container}`,
    `azure-endpoint=${endpoint}`,
    `azure-uri-style=${uriStyle}`,
    `azure-key-type=${sas === undefined ? "shared" : "sas"}`,
    `azure-key=${sas ?? key}`,
  ];
}

function gcsOptions({ bucket, endpoint }: GcsRepository, index: number): string[] {
  return [
    `gcs-bucket=${bucket}`,
    `gcs-endpoint=${endpoint}`,
    "gcs-key-type=service",
    `gcs-key=${pathOf("key", index)}`,
  ];
}

const fileNames = {
  ca: (index: number) => `tls/repository-${index}-ca.crt`,
  key: (index: number) => `keys/repository-${index}`,
  hosts: (index: number) => `keys/repository-${index}-known-hosts`,
} as const;

function nameOf(file: keyof typeof fileNames, index: number): string {
  return fileNames[file](index);
}

function pathOf(file: keyof typeof fileNames, index: number): string {
  return `${containerPaths.configuration}/${nameOf(file, index)}`;
}

/** Converts a fingerprint from OpenSSH's form (SHA256: and base64) into pgBackRest's. */
function hexOf(fingerprint: string): string {
  return Buffer.from(fingerprint.replace(/^SHA256:/, ""), "base64").toString("hex");
}
