import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import type { BackupLocation } from "../../scripts/backup/location.ts";
import { scheduleFault } from "../../scripts/model/schedule.ts";
import { defaultBackups } from "../../scripts/settings/backups-section.ts";
import { Backups as BackupsComponent } from "../components/backups.ts";
import { type DockerServer, requireContainer } from "./docker-server.ts";
import { separateProtect } from "./options.ts";
import { claim, rolesOf } from "./server.ts";

/** Arguments of {@link Backups}. */
export interface BackupsArgs {
  /** A server with `backups`. */
  server: DockerServer;
  /** Schedule of full backups in cron's syntax, in UTC. Default: `0 2 * * *`. */
  full?: string | undefined;
  /** Schedule of incremental backups. Default: every six hours. */
  incremental?: string | undefined;
}

/** Limit for archiving one WAL segment into the repository, in seconds. */
const archiveTimeout = 60;

/** Scheduled backups of a server, in a container next to it. Deleting it ends the schedule and keeps the backups. */
export class Backups extends BackupsComponent {
  readonly server: DockerServer;
  readonly schedule: { full: string; incremental: string };
  /** Passphrase that encrypts the backups, a secret. Keep a copy outside the Docker engine and the state. */
  readonly passphrase: pulumi.Output<string>;
  /** Argument of `createBackup`, `listBackups` and `restoreBackup` in `pgroundwork`. It has no secret. */
  readonly location: pulumi.Output<BackupLocation>;

  constructor(name: string, args: BackupsArgs, options?: pulumi.ComponentResourceOptions) {
    const { server, full = defaultBackups.full, incremental = defaultBackups.incremental } = args;
    requireContainer(`Backups ${name}`, server);
    const { repository, resourceName } = server;
    if (repository === undefined)
      throw new RunError(`Backups ${name}: the server ${resourceName} archives no WAL. Set its \`backups\` to true.`);
    for (const [schedule, text] of Object.entries({ full, incremental })) {
      const fault = scheduleFault(text);
      if (fault !== undefined) throw new RunError(`Backups ${name}: ${schedule}: ${fault}.`);
    }
    claim(server, "Backups");
    const roles = rolesOf(server).then((declared) => declared.roles);
    super(name, { server, roles, full, incremental, archiveTimeout }, separateProtect(options).rest);
    this.server = server;
    this.schedule = { full, incremental };
    this.passphrase = pulumi.secret(repository.passphrase);
    const { data, config } = server.volumes;
    const { project, stack, dockerHost, owner } = server.place;
    this.location = pulumi.output({
      ...(dockerHost === undefined ? {} : { dockerHost }),
      owner: { project, stack, owner },
      container: this.container,
      server: server.container,
      image: server.image,
      volumes: { repository: repository.volume, data: data.name, configuration: config.name },
      schedule: { full, incremental },
      ...(repository.repositories[0]?.isRemote === true ? { network: repository.network } : {}),
    });
  }
}
