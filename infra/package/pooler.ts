import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import { pooledRoles } from "../../scripts/model/pooler.ts";
import { defaultPooler } from "../../scripts/settings/pooler-section.ts";
import { commonShape } from "../../scripts/settings/schema.ts";
import { dockerShape } from "../../scripts/settings/server-shapes.ts";
import { poolerType } from "../components/pooler.ts";
import { PoolerObjects } from "../components/pooler-objects.ts";
import { containerSettings } from "../plan/container.ts";
import { type PoolerSize, planPoolerSize } from "../plan/pooler.ts";
import { type Database, urlAt } from "./database.ts";
import { type DockerServer, requireContainer } from "./docker-server.ts";
import { separateProtect } from "./options.ts";
import { parsed } from "./parsed.ts";
import { claim, requireSameServer, rolesOf } from "./server.ts";

/** Arguments of {@link Pooler}. */
export interface PoolerArgs {
  server: DockerServer;
  /** Databases of the server that clients reach through the pooler. */
  databases: readonly Database[];
  /** Port on the address of the server's port. Default: a free port, chosen once and kept. */
  port?: number | undefined;
  /** Maximum number of client connections. Default: 2000. */
  maxClients?: number | undefined;
  /**
   * Server connections for each database. Default: all databases share 80 % of the connections that the server accepts.
   */
  poolSize?: number | undefined;
  /** Limit for each process to pass its check, in seconds. Default: 60. */
  readyTimeout?: number | undefined;
}

/** A role that an application logs in with through a pooler. */
export type PooledLogin = (typeof pooledRoles)[number];

const shape = { pooler: dockerShape.pooler, readyTimeout: commonShape.readyTimeout };

/**
 * PgBouncer in a container next to a server. It pools connections by transaction, for the roles `<db>_app` and
 * `<db>_readonly`. Its certificate is of the server's CA. Deleting it removes the container and keeps its role.
 */
export class Pooler extends pulumi.ComponentResource {
  readonly server: DockerServer;
  readonly host: pulumi.Output<string>;
  /** Known once SQL has run through the pooler in every database. */
  readonly port: pulumi.Output<number>;
  readonly container: pulumi.Output<string>;
  readonly sslmode = "verify-full";
  readonly #name: string;
  readonly #databases: ReadonlySet<Database>;
  readonly #objects: Promise<PoolerObjects>;
  #hasExporter = false;

  constructor(name: string, args: PoolerArgs, options?: pulumi.ComponentResourceOptions) {
    const { protect, rest } = separateProtect(options);
    const { databases, ...plan } = planOf(`Pooler ${name}`, args);
    claim(args.server, "Pooler");
    super(poolerType, name, {}, rest);
    this.server = args.server;
    this.#name = name;
    this.#databases = databases;
    // The server's roles are declared once it has answered which of them exist.
    const objects = this.#declare({ ...plan, protect });
    this.#objects = objects;
    this.host = args.server.host;
    this.port = pulumi.output(objects.then(({ port }) => port));
    this.container = pulumi.output(objects.then(({ container }) => container));
    this.registerOutputs({ port: this.port, container: this.container });
  }

  /**
   * Returns the URL of a login through the pooler, a secret. It is known once the migrations of the database are
   * applied.
   *
   * @param sslrootcert path of a file with the server's `caCertificate`, where the URL is used
   */
  urlOf(database: Database, role: PooledLogin = "app", sslrootcert?: string): pulumi.Output<string> {
    if (!this.#databases.has(database))
      throw new RunError(`Pooler ${this.#name} has no database ${database.databaseName}. Add it to \`databases\`.`);
    if (!pooledRoles.includes(role))
      throw new RunError(
        `The role ${role} cannot log in through Pooler ${this.#name}. Use one of ${pooledRoles.join(", ")}, or the ` +
          "`url` of the database: migrations need a session of their own.",
      );
    return urlAt(this, database, role, sslrootcert);
  }

  /** Declares the exporter that Prometheus scrapes, once. {@link Monitoring} does this for its `pooler`. */
  declareExporter(): void {
    if (this.#hasExporter) return;
    this.#hasExporter = true;
    void this.#objects.then((objects) => objects.declareExporter());
  }

  async #declare(plan: Omit<PoolerPlan, "databases"> & { protect: boolean }): Promise<PoolerObjects> {
    const { server } = this;
    const { existing, postgresAccess } = await rolesOf(server);
    const { bindAddress, baseImage, passwordVersion } = server;
    const databases = [...this.#databases].map(({ databaseName, logins, migrations }) => ({
      name: databaseName,
      logins,
      migrations,
    }));
    return new PoolerObjects(this, this.#name, {
      ...{ server, existing, postgresAccess, databases, bindAddress, baseImage, passwordVersion },
      ...plan,
    });
  }
}

/** Parsed arguments of a pooler. */
interface PoolerPlan extends PoolerSize {
  databases: ReadonlySet<Database>;
  port: number | undefined;
  readyTimeout: number;
}

/** @throws RunError if an argument is wrong, or if the server does not have the connections */
function planOf(component: string, args: PoolerArgs): PoolerPlan {
  const { server, databases: given, port, maxClients, poolSize, readyTimeout } = args;
  requireContainer(component, server);
  const databases = new Set(given);
  if (databases.size === 0)
    throw new RunError(`${component}: \`databases\` is empty. List the databases that clients reach through it.`);
  for (const database of databases) requireSameServer(component, server, { databases: database });
  const section = Object.entries({ port, maxClients, poolSize }).filter(([, value]) => value !== undefined);
  const settings = parsed(component, shape, { pooler: Object.fromEntries(section), readyTimeout }, false);
  const { pooler = defaultPooler } = settings;
  try {
    const size = planPoolerSize({ ...containerSettings, ...server.plannedSettings }, databases.size, pooler);
    return { ...size, databases, port: pooler.port, readyTimeout: settings.readyTimeout };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RunError(
      `${component} does not fit the server ${server.resourceName}: ${error.message}. Increase \`maxConnections\` of ` +
        "the server, or reduce `poolSize`.",
    );
  }
}
