import type { SslMode } from "../connection/connection.ts";

/** Login of one role. */
export interface LoginOutput {
  user: string;
  password: string;
}

/** Outputs of one database. */
export interface DatabaseOutput {
  logins: Record<string, LoginOutput>;
  /** Applied files, oldest first. */
  migrations: string[];
  /** Sets in the order in which they are applied. */
  seeds: { set: string; applied: string[] }[];
}

/** Location of a server and of its data, by the kind of server. */
export type ServerLocation =
  | { kind: "embedded"; dataDirectory: string; logDirectory: string }
  | {
      kind: "docker";
      container: string;
      dataVolume: string;
      dockerHost?: string | undefined;
      /**
       * Mark of the stack's objects in the engine. It differs from those of other project directories with a stack of
       * this name.
       */
      owner: string;
    }
  | { kind: "external" };

/** Outputs of the server. */
export type ServerOutput = ServerLocation & {
  host: string;
  port: number;
  sslmode: SslMode;
  /** CA certificates in PEM format, if the server has its own CA. */
  caCertificate?: string | undefined;
  /** Path of a file with the CA certificates. */
  sslrootcert?: string | undefined;
  version: string;
  logins: Record<string, LoginOutput>;
  /** Absent if backups are off. */
  backups?: BackupsOutput;
};

/** Outputs of a server's backups. */
export interface BackupsOutput {
  /** Name of the container that makes backups. */
  container: string;
  image: string;
  /** Names of volumes. */
  volumes: { repository: string; data: string; configuration: string; run: string };
  /** In cron syntax, UTC. */
  schedule: { full: string; incremental: string };
  retentionDays: number;
  /** Passphrase that encrypts the backups. */
  passphrase: string;
}

/** URLs of a stack's monitoring. */
export interface MonitoringOutput {
  prometheus: string;
}

/** Outputs of the program (`infra/program.ts`). */
export interface StackOutputs {
  /** True if the stack holds real data. Read by commands that apply seeds. */
  protected: boolean;
  server: ServerOutput;
  databases: Record<string, DatabaseOutput>;
  /** Absent if monitoring is off. */
  monitoring?: MonitoringOutput;
}
