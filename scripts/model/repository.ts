/** A backup repository in a volume of the Docker engine. */
export interface VolumeRepository {
  type: "volume";
  retentionDays: number;
}

/** A backup repository in an S3-compatible bucket. */
export interface BucketRepository {
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

/** Place of a stack's WAL archive and backups. */
export type Repository = VolumeRepository | BucketRepository;
