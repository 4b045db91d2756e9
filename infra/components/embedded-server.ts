import type * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { EmbeddedServer as EmbeddedServerResource, Password } from "../provider/sdk/servers.ts";
import { adminAccess } from "./admin-access.ts";
import type { Login, Server } from "./server.ts";

export interface EmbeddedServerArgs {
  /** Name of the server, if the stack can have several. */
  server?: string | undefined;
  port?: number | undefined;
  dataDirectory?: string | undefined;
  /** Settings of postgresql.conf, including the memory plan. */
  settings: Record<string, string>;
  /** Rotation trigger: a change generates all passwords again. */
  passwordVersion: string;
  /** Limit for a start until SQL runs, in seconds. */
  readyTimeout: number;
}

/** A server on this machine, without Docker: its process, readiness check and admin provider. */
export class EmbeddedServer extends pulumi.ComponentResource implements Server {
  readonly process: pulumi.Resource;
  readonly host: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  readonly sslmode = "disable";
  readonly dataDirectory: pulumi.Output<string>;
  readonly logDirectory: pulumi.Output<string>;
  readonly version: pulumi.Output<string>;
  readonly superuser: Login;
  readonly admin: Login;
  readonly provider: postgresql.Provider;

  constructor(name: string, args: EmbeddedServerArgs, options?: pulumi.ComponentResourceOptions) {
    super("pgroundwork:components:EmbeddedServer", name, {}, options);
    const child = { parent: this };

    const password = new Password(`${name}-superuser-password`, { keeper: args.passwordVersion }, child);
    this.superuser = { user: "postgres", password: password.result };
    const { port, dataDirectory, settings, server: serverName } = args;
    const named = serverName === undefined ? {} : { server: serverName };
    const server = new EmbeddedServerResource(
      `${name}-postgres`,
      { port, dataDirectory, settings, superuserPassword: password.result, ...named },
      child,
    );
    this.process = server;
    const access = adminAccess(
      name,
      {
        ...{ host: server.host, port: server.port, database: "postgres", login: this.superuser, superuser: true },
        ...{ sslmode: this.sslmode, trigger: server.pid, readyTimeout: args.readyTimeout },
        logDirectory: server.logDirectory,
      },
      this,
    );
    ({ host: this.host, port: this.port, version: this.version, admin: this.admin, provider: this.provider } = access);
    this.dataDirectory = server.dataDirectory;
    this.logDirectory = server.logDirectory;
    this.registerOutputs({
      host: this.host,
      port: this.port,
      dataDirectory: this.dataDirectory,
      version: this.version,
    });
  }
}
