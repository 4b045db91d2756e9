/** A backup repository in a volume of the Docker engine. */
export interface VolumeRepository {
  type: "volume";
  retentionDays: number;
}

/** A backup repository in an S3-compatible bucket. */
export interface S3Repository {
  type: "s3";
  retentionDays: number;
  /** Host name, with a port if it is not 443. */
  endpoint: string;
  region: string;
  bucket: string;
  /** Folder in the bucket. Stacks must not share it. */
  path: string;
  /** `path`: https://endpoint/bucket; `host`: https://bucket.endpoint. */
  uriStyle: "path" | "host";
  /** File with the CA certificates of the endpoint, relative to the project directory. Default: those of the image. */
  caFile?: string;
  /** Access key and its secret. */
  key: string;
  keySecret: string;
}

/** A backup repository on a server that speaks SFTP. Either `hostFingerprint` or `knownHosts` is given, or both. */
export interface SftpRepository {
  type: "sftp";
  retentionDays: number;
  host: string;
  port: number;
  user: string;
  /** Folder on the server. Stacks must not share it. */
  path: string;
  /** Fingerprint of the server's host key, as `ssh-keygen -l` prints it: `SHA256:…`. */
  hostFingerprint?: string;
  /** Lines of a known_hosts file with all host keys of the server, as `ssh-keyscan` prints them. */
  knownHosts?: string;
  /** Text of the private key, and its passphrase if it has one. */
  privateKey: string;
  privateKeyPassphrase?: string;
}

/** A backup repository in a container of Azure Blob Storage. Either `key` or `sas` is given. */
export interface AzureRepository {
  type: "azure";
  retentionDays: number;
  account: string;
  container: string;
  /** Folder in the container. Stacks must not share it. */
  path: string;
  /** Host name without the account, with a port if it is not 443. */
  endpoint: string;
  /** `host`: https://account.endpoint/container; `path`: https://endpoint/account/container. */
  uriStyle: "path" | "host";
  /** File with the CA certificates of the endpoint, relative to the project directory. Default: those of the image. */
  caFile?: string;
  /** Key of the account, in base64. */
  key?: string;
  /** Shared access signature: the query of its URL. */
  sas?: string;
}

/** A backup repository in a bucket of Google Cloud Storage. */
export interface GcsRepository {
  type: "gcs";
  retentionDays: number;
  bucket: string;
  /** Folder in the bucket. Stacks must not share it. */
  path: string;
  /** Host name, with a port if it is not 443. */
  endpoint: string;
  /** File with the CA certificates of the endpoint, relative to the project directory. Default: those of the image. */
  caFile?: string;
  /** Text of the service account's key file, in JSON. */
  key: string;
}

/** A backup repository outside of the Docker engine, which containers reach through a network. */
export type RemoteRepository = S3Repository | SftpRepository | AzureRepository | GcsRepository;

/** Place of a stack's WAL archive and backups. */
export type Repository = VolumeRepository | RemoteRepository;

/** Returns true if a repository is outside of the Docker engine, and survives the loss of its machine. */
export function isRemote<Given extends Pick<Repository, "type">>(
  repository: Given,
): repository is Exclude<Given, { type: "volume" }> {
  return repository.type !== "volume";
}
