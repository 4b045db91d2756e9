import * as postgresql from "@pulumi/postgresql";
import type * as pulumi from "@pulumi/pulumi";
import { Ready } from "../provider/sdk.ts";
import type { Login, Server } from "./server.ts";

export interface AdminAccessArgs {
  host: pulumi.Input<string>;
  port: pulumi.Input<number>;
  database: string;
  /** The role that makes roles and databases, with the password that it is to have. */
  login: Login;
  /** Whether that role is a superuser. */
  superuser: boolean;
  sslmode: string;
  /** Authorities to trust: as PEM for the kit's own plugin, as a file for the postgresql provider, which takes no other. */
  caCertificate?: pulumi.Input<string> | undefined;
  sslrootcert?: pulumi.Input<string> | undefined;
  /** Another one is a server that was started anew. */
  trigger: pulumi.Input<string | number>;
  /** How long a start may take until SQL runs, in seconds. */
  readyTimeout: number;
  /** Where the server's log lies, if on this machine. */
  logDirectory?: pulumi.Input<string>;
}

/** The point from which a server may be used, of whatever kind it is, and the provider that makes things on it from then on. */
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
  // With the password that the server takes, which a preview knows: the new one of a rotation is made by `up`.
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
