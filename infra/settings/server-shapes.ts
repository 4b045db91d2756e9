import { isAbsolute } from "node:path";
import { z } from "zod";
import { parseDockerHost } from "../../scripts/docker/host.ts";
import { OperationError } from "../../scripts/errors/operation-error.ts";
import type { Connection } from "../../scripts/target/connection.ts";
import { parseConnectionUrl } from "../../scripts/target/url.ts";
import { backupsSection, defaultBackups } from "./backups-section.ts";
import { defaultMonitoring, monitoringSection } from "./monitoring-section.ts";
import { postgresqlSection } from "./postgresql-section.ts";
import { documented, flag, integer } from "./setting.ts";

/** Settings of every server that the kit starts. */
const startedShape = {
  port: documented(integer(1, 65_535).optional(), {
    type: "a whole number from 1 to 65535",
    default: "a free port, chosen once and kept",
    effect: "restart",
    description:
      "TCP port that clients connect to. The server keeps the last one where the setting is taken out again.",
  }),
  memory: documented(integer(256, Number.MAX_SAFE_INTEGER).optional(), {
    type: "a whole number of at least 256 (MB)",
    default: "what the machine has",
    effect: "restart",
    description: "Memory that the server's settings are planned for, in MB.",
  }),
  profile: documented(z.enum(["web", "oltp", "dw", "desktop", "mixed"]).default("desktop"), {
    type: "web, oltp, dw, desktop or mixed",
    default: "desktop",
    effect: "restart",
    description:
      "What the server is mostly asked to do: many short requests (web), transactions (oltp), a warehouse's large reads (dw), one developer (desktop), or several of these (mixed).",
  }),
  storage: documented(z.enum(["ssd", "hdd", "san", "nvme"]).default("ssd"), {
    type: "ssd, hdd, san or nvme",
    default: "ssd",
    effect: "reload",
    description: "What the data directory lies on: what the planner takes a random read to cost.",
  }),
  maxConnections: documented(integer(10, 10_000).default(100), {
    type: "a whole number from 10 to 10000",
    default: "100",
    effect: "restart",
    description: "How many sessions the server accepts; the memory of each is planned with it.",
  }),
  postgresql: documented(postgresqlSection().optional(), {
    type: "an object of PostgreSQL settings, each a text, number or true/false",
    default: "none",
    effect: "reload or restart",
    description:
      "Further settings of postgresql.conf by name; they win over the planned ones. A restart where PostgreSQL asks for one (`context` postmaster in pg_settings).",
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
        "Where the server keeps its data. A server that exists takes another folder once its data lies there: `down`, move it, `up`.",
    },
  ),
};

/** What Docker takes for an image: `registry:5000/team/image:tag@sha256:…`, or an id. */
const imageReference =
  /^(?:(?:[a-zA-Z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+|\/)[a-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?|sha256:[0-9a-f]{64})$/;

/** Settings of a server in a container. */
export const dockerShape = {
  ...startedShape,
  memory: documented(integer(256, Number.MAX_SAFE_INTEGER).default(1024), {
    type: "a whole number of at least 256 (MB)",
    default: "embedded: what the machine has; docker: 1024",
    effect: "restart",
    description:
      "Memory that the server's settings are planned for, in MB. In a container it is the limit, too, without swap beyond it.",
  }),
  cpus: documented(integer(1, 1024).optional(), {
    type: "a whole number of at least 1",
    default: "all of the engine's",
    effect: "restart",
    description: "Processors that the container may use.",
  }),
  shmSize: documented(integer(64, Number.MAX_SAFE_INTEGER).default(256), {
    type: "a whole number of at least 64 (MB)",
    default: "256",
    effect: "restart",
    description: "Shared memory of the container (/dev/shm), in MB: parallel queries exchange rows there.",
  }),
  dockerHost: documented(dockerHost().optional(), {
    type: "unix:///path, tcp://host:port or ssh://user@host",
    default: "what DOCKER_HOST says, else this machine's own engine",
    effect: "none",
    description:
      "The Docker engine. On tcp://…:2376 with TLS: ca.pem, cert.pem and key.pem from DOCKER_CERT_PATH. Over ssh as the machine's `ssh` connects.",
  }),
  bindAddress: documented(matching(/^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:]*)$/i).default("127.0.0.1"), {
    type: "an IP address",
    default: "127.0.0.1",
    effect: "restart",
    description: "Address of the engine's machine on which the port is open. 0.0.0.0: on all of them.",
  }),
  host: documented(matching(/^[a-z0-9]([a-z0-9.:-]*[a-z0-9])?$/i).optional(), {
    type: "a host name or IP address",
    default: "the address that the port is bound to, or the name of the engine's machine",
    effect: "none",
    description: "By what clients reach the server. The certificate holds it.",
  }),
  image: documented(matching(imageReference).optional(), {
    type: "an image's name, with registry and digest as needed",
    default: "built from infra/images/postgres",
    effect: "restart",
    description: "Image of the container, made from infra/images/postgres elsewhere: the engine pulls it.",
  }),
  postgis: documented(flag().default(false), {
    type: "true or false",
    default: "false",
    effect: "restart",
    description: "Whether the image is built with PostGIS.",
  }),
  monitoring: documented(monitoringSection().optional(), {
    type: "true, false or an object of prometheusPort, exporterPort and retentionDays",
    default: `false; true: {retentionDays: ${defaultMonitoring.retentionDays}}`,
    effect: "none",
    description:
      "Whether containers beside the server watch it: exporters of its statistics and volumes, and a Prometheus with alert rules. Ports are open on 127.0.0.1 of the engine's machine: Prometheus's (a free one, chosen once), the exporter's only where `exporterPort` is given. Measurements are kept for `retentionDays` days.",
  }),
  backups: documented(backupsSection().optional(), {
    type: "true, false or an object of full, incremental (schedules) and retentionDays",
    default: `false; true: {full: "${defaultBackups.full}", incremental: "${defaultBackups.incremental}", retentionDays: ${defaultBackups.retentionDays}}`,
    effect: "restart",
    description:
      "Whether the write-ahead log is archived and backups are made, in a volume of their own, encrypted. Schedules in cron's syntax, in UTC; any moment of the last `retentionDays` days can be restored. Only switching it on or off restarts the server.",
  }),
};

/** Settings of a server that somebody else runs. */
export const externalShape = {
  url: documented(serverUrl(), {
    type: "a URL postgresql://user@host:port/postgres?sslmode=verify-full, without a password",
    default: "none: it has to be set",
    effect: "none",
    description:
      "The server, and the role that makes roles and databases on it. A relative `sslrootcert` begins in the clone. It is not the kit's to stop, and nothing on it is dropped.",
  }),
  superuserPassword: documented(z.string().min(1), {
    type: "a text, set with --secret",
    default: "none: it has to be set",
    effect: "none",
    description: "Password of that role: `pulumi config set --secret superuserPassword`.",
  }),
  superuser: documented(flag().default(true), {
    type: "true or false",
    default: "true",
    effect: "none",
    description:
      "Whether that role is a superuser. Managed servers give a role that may make roles and databases instead.",
  }),
};

/** What is expected instead, the setting's own text says better than a pattern. */
function matching(pattern: RegExp) {
  return z.string().refine((text) => pattern.test(text));
}

function serverUrl() {
  return z.string().transform((text, context): Connection => {
    const parsed = parseConnectionUrl(text, "it");
    const faults = parsed.faults ?? [];
    if (parsed.connection?.password !== undefined)
      faults.push("it has a password in it: set superuserPassword with --secret instead");
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
