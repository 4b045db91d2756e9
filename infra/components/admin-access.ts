import * as postgresql from "@pulumi/postgresql";
import type * as pulumi from "@pulumi/pulumi";
import type { SslMode } from "../../scripts/connection/connection.ts";
import { Ready } from "../provider/sdk/servers.ts";
import type { Login, Server } from "./server.ts";

export interface AdminAccessArgs {
  host: pulumi.Input<string>;
  port: pulumi.Input<number>;
  database: string;
  /** The role that creates roles and databases, with the password that it will have. */
  login: Login;
  /** True if the role is a superuser. */
  superuser: boolean;
  sslmode: SslMode;
  /** CA certificates: PEM for the kit's own plugin, a file for the postgresql provider, which accepts only a file. */
  caCertificate?: pulumi.Input<string> | undefined;
  sslrootcert?: pulumi.Input<string> | undefined;
  /** Changes each time the server is started again. */
  trigger: pulumi.Input<string | number>;
  /** Limit for a start until SQL runs, in seconds. */
  readyTimeout: number;
  /** Log directory of the server, if it is on this machine. */
  logDirectory?: pulumi.Input<string>;
}

/** The point from which a server of any kind can be used, and the provider that creates objects on it from then on. */
export interface AdminAccess extends Pick<Server, "host" | "port" | "version" | "admin" | "provider"> {
  ready: Ready;
}

/** Declares both as children of the server's component. */
export function adminAccess(name: string, args: AdminAccessArgs, parent: pulumi.Resource): AdminAccess {
  const { host, port, database, login, sslmode, caCertificate, sslrootcert, trigger, logDirectory } = args;
  const ready = new Ready(
    `${name}-ready`,
    {
      ...{ host, port, database, ...login, sslmode, caCertificate, trigger },
      timeoutSeconds: args.readyTimeout,
      ...(logDirectory === undefined ? {} : { logDirectory }),
    },
    { parent },
  );
  // Uses the password that the server currently accepts, which a preview knows. A rotation creates the new one in `up`.
  const admin = { user: login.user, password: ready.password };
  const provider = new postgresql.Provider(
    `${name}-admin`,
    {
      host: ready.host,
      port: ready.port,
      username: admin.user,
      password: admin.password,
      superuser: args.superuser,
      sslmode,
      ...(sslrootcert === undefined ? {} : { sslrootcert }),
    },
    { parent },
  );
  return { ready, admin, provider, host: ready.host, port: ready.port, version: ready.serverVersion };
}
