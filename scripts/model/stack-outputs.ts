import type { SslMode } from "../connection/connection.ts";
import type { BackupObjectives, DrillPlan } from "./drill-plan.ts";
import type { DumpPlan } from "./dump-plan.ts";

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
  /** Dumps that `backup dump --due` makes. Absent if none are planned, or if the backup container makes them. */
  dumps?: DumpPlan;
  /** Absent if the stack has no pooler. */
  pooler?: PoolerOutput;
};

/** Outputs of a server's pooler. Its host, TLS mode and CA are the server's. */
export interface PoolerOutput {
  port: number;
  /** Name of its container. */
  container: string;
}

/** Outputs of a backup repository and the container that writes it. */
export interface RepositoryOutput {
  /** Name of the container that makes backups. */
  container: string;
  image: string;
  /** Names of volumes. If the repository is remote, its volume only has notes of the kit. */
  volumes: { repository: string; data: string; configuration: string; run: string };
  /** In cron syntax, UTC. */
  schedule: { full: string; incremental: string };
  retentionDays: number;
  /** File in the configuration volume. Default: pgbackrest.conf. */
  configurationFile?: string | undefined;
  /** Network through which containers reach a remote repository. Absent if it is in the volume. */
  network?: string | undefined;
  /** Former generations, newest first. Absent if the current one is the first. */
  former?: FormerGenerationOutput[] | undefined;
}

/** Former generation of a repository, with a passphrase of its own. */
export interface FormerGenerationOutput {
  /** Counted from 1. */
  generation: number;
  /** File in the configuration volume. */
  configurationFile: string;
}

/** Outputs of a server's backups: its first repository, a second one if there is one, and its restore drills. */
export interface BackupsOutput extends RepositoryOutput {
  /** Absent if no dumps are scheduled. The first container makes them. */
  dumps?: DumpPlan | undefined;
  /** Absent if no restore drills are planned. */
  drill?: DrillPlan | undefined;
  /** Evidence of the drills in the stack's own container. Absent if it has none. */
  evidence?: EvidenceOutput | undefined;
  /** Absent if the results of drills have no limits. */
  objectives?: BackupObjectives | undefined;
  /** Passphrase that encrypts the backups of the current generation. */
  passphrase: string;
  /** Number of the current generation. Absent if it is the first. */
  generation?: number | undefined;
  /** Passphrases of former generations. Absent if the current generation is the first. */
  formerPassphrases?: { generation: number; passphrase: string }[] | undefined;
  second?: RepositoryOutput | undefined;
}

/** Evidence of scheduled restore drills. */
export interface EvidenceOutput {
  /** Name of the container that runs the drills. */
  container: string;
  /** Public key that verifies the evidence, PEM. */
  publicKey: string;
  /** Number of the newest run that `up` has seen; 0 if there was none. */
  number: number;
  /** SHA-256 of that run, in hex. */
  hash: string;
}

/** Outputs of a stack's monitoring. */
export interface MonitoringOutput {
  /** URL of Prometheus. */
  prometheus: string;
  /** Name of Alertmanager's container. Absent if alerts have no receivers. */
  alertmanager?: string;
  /** Absent if there is no health server. */
  health?: HealthServerOutput;
  /** Absent if there is no Grafana. */
  grafana?: GrafanaOutput;
}

/** Outputs of a stack's Grafana. */
export interface GrafanaOutput {
  url: string;
  /** Password of its user `admin` at its first start. */
  password: string;
}

/** Outputs of a stack's health server. */
export interface HealthServerOutput {
  url: string;
  /** Bearer token, or password of HTTP Basic, which it asks for. */
  token: string;
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
