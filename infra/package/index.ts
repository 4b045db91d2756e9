/**
 * Components for Pulumi programs: `import { Database, EmbeddedServer } from "pgroundwork/pulumi"`. They take Pulumi's
 * options (`parent`, `protect`, `dependsOn`, `aliases`, `transforms`), and work next to resources of other providers.
 * The provider plugin is part of this package; a project needs no entry for it in Pulumi.yaml.
 */
import { requireOnePulumi } from "./one-pulumi.ts";

export type { BackupLocation } from "../../scripts/backup/location.ts";
export type { Login } from "../components/server.ts";
export { BackupDrill, type BackupDrillArgs } from "./backup-drill.ts";
export { Backups, type BackupsArgs } from "./backups.ts";
export { Database, type DatabaseArgs, type DatabaseLogin } from "./database.ts";
export { DockerServer, type DockerServerArgs } from "./docker-server.ts";
export { EmbeddedServer, type EmbeddedServerArgs, type StartedServerArgs } from "./embedded-server.ts";
export { ExternalServer, type ExternalServerArgs } from "./external-server.ts";
export { type AlertsArgs, type HealthLimitsArgs, Monitoring, type MonitoringArgs } from "./monitoring.ts";
export { type PooledLogin, Pooler, type PoolerArgs } from "./pooler.ts";
export type { ProgramServer } from "./server.ts";

requireOnePulumi(process.cwd());
