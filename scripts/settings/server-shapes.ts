import { isAbsolute } from "node:path";
import { z } from "zod";
import type { Connection } from "../connection/connection.ts";
import { parseConnectionUrl } from "../connection/url.ts";
import { OperationError } from "../core/operation-error.ts";
import { parseDockerHost } from "../model/docker-host.ts";
import { defaultDrillSchedule } from "../model/drill-plan.ts";
import { defaultDumps } from "../model/dump-plan.ts";
import { backupsSection, defaultBackups, dumpsOnlySection } from "./backups-section.ts";
import { defaultMonitoring, monitoringSection } from "./monitoring-section.ts";
import { defaultPooler, poolerSection } from "./pooler-section.ts";
import { postgresqlSection } from "./postgresql-section.ts";
import { documented, flag, integer, type SettingText } from "./setting.ts";

/** Text of the setting `backups`, which all kinds of server have. */
const backupsText: SettingText = {
  type: "true, false or an object with full and incremental (schedules), retentionDays, walLimitPercent, repositories, passphrase, generation, dumps, drill and objectives",
  default: `false; true: {full: "${defaultBackups.full}", incremental: "${defaultBackups.incremental}", retentionDays: ${defaultBackups.retentionDays}, walLimitPercent: ${defaultBackups.walLimitPercent}}`,
  effect: "restart (docker)",
  description:
    "Archives WAL and makes backups, encrypted, in a separate volume or outside of the machine (`repositories`: S3, SFTP, Azure, GCS). Schedules use " +
    "cron syntax, in UTC. The archive covers every moment of the last `retentionDays` days. `walLimitPercent` limits " +
    "the WAL that waits for a repository, as a share of the free space and this WAL; beyond it, the WAL is dropped, " +
    "and with 100 it is kept until the disk is full. `passphrase` encrypts " +
    "the repositories; by default `up` creates one. A higher `generation` starts new repositories with a new passphrase " +
    "next to the former ones, which stay readable. `dumps` makes logical dumps, too: true, or an object with schedule " +
    `(default: ${defaultDumps.schedule}), retentionDays (default: ${defaultDumps.retentionDays}), recipients (public ` +
    "keys of age), encrypt (false allows dumps of a protected stack without recipients) and schemaOnly (dumps without " +
    "rows besides the full ones: true, or an object with schedule and retentionDays, by default those of the full " +
    "dumps). `drill` plans restore drills: true, or an object " +
    `with schedule (default: ${defaultDrillSchedule}), maxAge (a duration; default: two intervals of the schedule), ` +
    "checks (default: true), required (default: false) and sidecar (default: true). `objectives` has the longest allowed rto and rpo " +
    "(durations such as 30m, 24h or 45d): a drill that misses one has failed. The server restarts only when backups " +
    "are switched on or off. An embedded or external server can have only `dumps`, which `backup dump --due` makes.",
};

/** Settings of every server that the kit starts. */
const startedShape = {
  port: documented(integer(1, 65_535).optional(), {
    type: "a whole number from 1 to 65535",
    default: "a free port, chosen once and kept",
    effect: "restart",
    description: "TCP port that clients connect to. If the setting is removed, the server keeps its last port.",
  }),
  memory: documented(integer(256, Number.MAX_SAFE_INTEGER).optional(), {
    type: "a whole number of at least 256 (MB)",
    default: "the machine's memory",
    effect: "restart",
    description: "Memory that the server's settings are planned for, in MB.",
  }),
  profile: documented(z.enum(["web", "oltp", "dw", "desktop", "mixed"]).default("desktop"), {
    type: "web, oltp, dw, desktop or mixed",
    default: "desktop",
    effect: "restart",
    description:
      "Main workload of the server: many short requests (web), transactions (oltp), large reads in a data " +
      "warehouse (dw), one developer (desktop), or several of these (mixed).",
  }),
  storage: documented(z.enum(["ssd", "hdd", "san", "nvme"]).default("ssd"), {
    type: "ssd, hdd, san or nvme",
    default: "ssd",
    effect: "reload",
    description: "Storage of the data directory. It determines the planner's cost of a random read.",
  }),
  maxConnections: documented(integer(10, 10_000).default(100), {
    type: "a whole number from 10 to 10000",
    default: "100",
    effect: "restart",
    description: "Number of sessions that the server accepts. The memory plan includes the memory of each session.",
  }),
  postgresql: documented(postgresqlSection().optional(), {
    type: "an object of PostgreSQL settings, each a string, number, true or false",
    default: "none",
    effect: "reload or restart",
    description:
      "More settings of postgresql.conf, by name. They override the planned settings. The server restarts only " +
      "if PostgreSQL requires it (`context` is `postmaster` in pg_settings).",
  }),
};

/** Settings of the embedded server. */
export const embeddedShape = {
  ...startedShape,
  dataDirectory: documented(
    z
      .string()
      .refine((path) => isAbsolute(path))
      .optional(),
    {
      type: "an absolute path",
      default: "a folder below the user's data folder",
      effect: "refused until the data is moved",
      description:
        "Directory with the server's data. To change it for an existing server, run `down`, move the data there, " +
        "and run `up`.",
    },
  ),
  backups: documented(dumpsOnlySection().optional(), backupsText),
};

/** Image reference that Docker accepts: `registry:5000/team/image:tag@sha256:…`, or an id. */
const imageReference =
  /^(?:(?:[a-zA-Z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+|\/)[a-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?|sha256:[0-9a-f]{64})$/;

/** Name of an image, with a tag, a digest or both. A name alone would be the tag `latest`, which changes its Debian. */
const baseReference =
  /^(?:[a-zA-Z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+|\/)[a-z0-9]+)*(?::\w[\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$/;

/** Settings of a server in a container. */
export const dockerShape = {
  ...startedShape,
  memory: documented(integer(256, Number.MAX_SAFE_INTEGER).default(1024), {
    type: "a whole number of at least 256 (MB)",
    default: "embedded: the machine's memory; docker: 1024",
    effect: "restart",
    description:
      "Memory that the server's settings are planned for, in MB. It is also the memory limit of a container, " +
      "which gets no additional swap.",
  }),
  cpus: documented(integer(1, 1024).optional(), {
    type: "a whole number of at least 1",
    default: "all CPUs of the Docker engine",
    effect: "restart",
    description: "Number of CPUs that the container can use.",
  }),
  shmSize: documented(integer(64, Number.MAX_SAFE_INTEGER).default(256), {
    type: "a whole number of at least 64 (MB)",
    default: "256",
    effect: "restart",
    description: "Shared memory of the container (/dev/shm), in MB. Parallel queries exchange rows in it.",
  }),
  dockerHost: documented(dockerHost().optional(), {
    type: "unix:///path, tcp://host:port or ssh://user@host",
    default: "DOCKER_HOST if it is set, otherwise the engine on this machine",
    effect: "none",
    description:
      "The Docker engine to use. A connection to tcp://…:2376 uses TLS, with ca.pem, cert.pem and key.pem from " +
      "DOCKER_CERT_PATH. A connection over ssh uses the `ssh` of this machine and its configuration.",
  }),
  bindAddress: documented(matching(/^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:]*)$/i).default("127.0.0.1"), {
    type: "an IP address",
    default: "127.0.0.1",
    effect: "restart",
    description: "Address of the engine's machine on which the port is open. 0.0.0.0 opens it on all addresses.",
  }),
  host: documented(matching(/^[a-z0-9]([a-z0-9.:-]*[a-z0-9])?$/i).optional(), {
    type: "a host name or IP address",
    default: "the address that the port is bound to, or the name of the engine's machine",
    effect: "none",
    description: "Host name that clients use. The server's certificate includes it.",
  }),
  image: documented(matching(imageReference).optional(), {
    type: "an image's name, with registry and digest as needed",
    default: "built from infra/images/postgres",
    effect: "restart",
    description: "Prebuilt image of infra/images/postgres. The engine pulls it instead of building it.",
  }),
  baseImage: documented(matching(baseReference).optional(), {
    type: "an image's name with a digest (name@sha256:… with 64 hexadecimal digits) or a tag",
    default: "debian:trixie-slim, as the Docker engine has it",
    effect: "restart",
    description:
      "Debian image that the stack's images are built from. With a digest, every machine builds from the same base. " +
      "A newer digest takes Debian's security updates.",
  }),
  postgresVersion: documented(matching(/^17\.[1-9]\d*$/).optional(), {
    type: "a minor release of PostgreSQL 17, such as 17.11",
    default: "17.11 or later: the newest that Debian has when the image is built",
    effect: "restart",
    description:
      "Exact release in the image. A newer one builds the image again and replaces the container; the data stays. " +
      "The build fails if Debian does not have this release.",
  }),
  postgis: documented(flag().default(false), {
    type: "true or false",
    default: "false",
    effect: "restart",
    description: "Builds the image with PostGIS.",
  }),
  monitoring: documented(monitoringSection().optional(), {
    type: "true, false or an object with prometheusPort, exporterPort, retentionDays, health, healthPort, healthLimits, grafana, grafanaPort, grafanaImage and alerts",
    default: `false; true: {retentionDays: ${defaultMonitoring.retentionDays}, health: ${defaultMonitoring.health}, grafana: ${defaultMonitoring.grafana}, grafanaImage: ${defaultMonitoring.grafanaImage}}`,
    effect: "none",
    description:
      "Monitors the server with sidecars: postgres_exporter, a volume exporter, and Prometheus with alert rules. " +
      "Prometheus has a port on 127.0.0.1 of the engine's machine, by default a free one that is chosen once. " +
      "The exporter has a port there only if `exporterPort` is set. Metrics are kept for `retentionDays` days. " +
      "`health` runs `pgw health serve` in a container, with the port `healthPort` on 127.0.0.1, and " +
      "`healthLimits` sets its limits: see [Health server](#health-server). " +
      "`grafana` runs Grafana with the kit's dashboards, from `grafanaImage`, with the port `grafanaPort` there. " +
      "`alerts` sends alerts to people: see [Alerts](#alerts).",
  }),
  pooler: documented(poolerSection().optional(), {
    type: "true, false or an object with port, maxClients and poolSize",
    default: `false; true: {maxClients: ${defaultPooler.maxClients}}`,
    effect: "none",
    description:
      "Adds PgBouncer, which pools connections by transaction for the roles `<db>_app` and `<db>_readonly`. `pgw url " +
      "--pooled` prints its URL. Its port is open on `bindAddress`, by default a free one that is chosen once. " +
      "`poolSize` is the number of server connections for each database; by default all databases share 80 % of the " +
      "connections that the server accepts.",
  }),
  backups: documented(backupsSection().optional(), backupsText),
};

/** Settings of a server that is run by others. */
export const externalShape = {
  url: documented(serverUrl(), {
    type: "a URL postgresql://user@host:port/postgres?sslmode=verify-full, without a password",
    default: "none (required)",
    effect: "none",
    description:
      "URL of the server, with the role that creates roles and databases on it. A relative `sslrootcert` starts " +
      "at the project directory. pgroundwork does not stop this server and drops nothing on it.",
  }),
  superuserPassword: documented(z.string().min(1), {
    type: "a string, set with --secret",
    default: "none (required)",
    effect: "none",
    description: "Password of the role in `url`. Set it with `pulumi config set --secret superuserPassword`.",
  }),
  superuser: documented(flag().default(true), {
    type: "true or false",
    default: "true",
    effect: "none",
    description:
      "Whether the role in `url` is a superuser. Set false on a managed server, whose role can only create roles " +
      "and databases. `preview` lists the rights that it lacks.",
  }),
  backups: documented(dumpsOnlySection().optional(), backupsText),
};

/** Checks a pattern without a message of its own: the setting's text says better what is expected. */
function matching(pattern: RegExp) {
  return z.string().refine((text) => pattern.test(text));
}

function serverUrl() {
  return z.string().transform((text, context): Connection => {
    const parsed = parseConnectionUrl(text, "it");
    const faults = parsed.faults ?? [];
    if (parsed.connection?.password !== undefined)
      faults.push("it contains a password: set superuserPassword with --secret instead");
    for (const message of faults) context.addIssue({ code: "custom", message });
    return parsed.connection ?? z.NEVER;
  });
}

function dockerHost() {
  return z.string().superRefine((text, context) => {
    try {
      parseDockerHost(text);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
    }
  });
}
