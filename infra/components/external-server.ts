import { readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import type { Connection } from "../../scripts/target/connection.ts";
import { availableExtensions } from "../provider/sdk.ts";
import { adminAccess } from "./admin-access.ts";
import type { Login, Server } from "./server.ts";

/** The way in as its superuser, or as a role that may make roles and databases. */
export interface ExternalAccess {
  /** Without the password; `sslrootcert` is absolute, or begins in the clone. */
  connection: Connection;
  password: pulumi.Output<string>;
  /** Whether the role is a superuser; managed servers have none to give. */
  superuser: boolean;
}

export interface ExternalServerArgs extends ExternalAccess {
  /** How long to wait until SQL runs, in seconds. */
  readyTimeout: number;
}

/** A server that somebody else runs: everything on it is the stack's, and the server itself is not. */
export class ExternalServer extends pulumi.ComponentResource implements Server {
  readonly process: pulumi.Resource;
  readonly host: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  readonly sslmode: string;
  readonly caCertificate?: pulumi.Output<string>;
  readonly version: pulumi.Output<string>;
  readonly superuser: Login;
  readonly admin: Login;
  readonly provider: postgresql.Provider;

  constructor(name: string, args: ExternalServerArgs, options?: pulumi.ComponentResourceOptions) {
    super("pgroundwork:components:ExternalServer", name, {}, options);
    const { host, port, database, user, sslmode, sslrootcert } = args.connection;
    this.sslmode = sslmode;
    const authorities = authoritiesIn(sslrootcert);
    if (authorities !== undefined) this.caCertificate = pulumi.output(authorities);
    this.superuser = { user, password: args.password };
    const access = adminAccess(
      name,
      {
        ...{ host, port, database, login: this.superuser, superuser: args.superuser },
        ...{ sslmode, caCertificate: authorities, trigger: 0, readyTimeout: args.readyTimeout },
        sslrootcert: sslrootcert === undefined ? undefined : fromPlugins(sslrootcert),
      },
      this,
    );
    // What is on the server is the stack's until it is erased: nothing is dropped when the stack goes.
    this.process = access.ready;
    ({ host: this.host, port: this.port, version: this.version, admin: this.admin, provider: this.provider } = access);
    this.registerOutputs({ host: this.host, port: this.port, version: this.version });
  }
}

/**
 * The extensions that an external server has; undefined in a preview where it cannot be asked.
 *
 * @throws RunError where it cannot be asked in an `up`
 */
export async function extensionsOfServer({
  connection,
  password,
}: ExternalAccess): Promise<ReadonlySet<string> | undefined> {
  const { host, port, database, user, sslmode, sslrootcert } = connection;
  const answer = await availableExtensions({
    ...{ host, port, database, user, password, sslmode },
    caCertificate: authoritiesIn(sslrootcert),
  });
  if (answer.known) return new Set(answer.extensions);
  if (!pulumi.runtime.isDryRun())
    throw new RunError(`The server could not be asked which extensions it has: ${answer.reason}`);
  void pulumi.log.warn(`The server could not be asked which extensions it has: ${answer.reason}`);
  return undefined;
}

/** Program and plugins run in this folder, below the clone. */
function fromPlugins(path: string): string {
  return isAbsolute(path) ? path : join("..", path);
}

function authoritiesIn(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(fromPlugins(file), "utf8");
  } catch (error) {
    throw new RunError(`sslrootcert of pgroundwork:url cannot be read: ${(error as Error).message}`);
  }
}
