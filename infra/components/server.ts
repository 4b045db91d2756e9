import type * as postgresql from "@pulumi/postgresql";
import type * as pulumi from "@pulumi/pulumi";
import type { SslMode } from "../../scripts/connection/connection.ts";

export interface Login {
  user: string;
  password: pulumi.Output<string>;
}

/** A server of any kind, as a database needs it. */
export interface Server extends pulumi.ComponentResource {
  /** The server's process or container. Objects on the server go with it and are not deleted one by one first. */
  process: pulumi.Resource;
  /** Known only after real SQL has run on the server. */
  host: pulumi.Output<string>;
  port: pulumi.Output<number>;
  sslmode: SslMode;
  /** CA certificates that clients trust, PEM. Absent if the server has no CA of its own. */
  caCertificate?: pulumi.Output<string>;
  /** The admin's connection, for databases, roles, grants and extensions. */
  provider: postgresql.Provider;
  /** True if the server reserves connections for the monitoring and backup roles (PostgreSQL 16 and later). */
  reservesConnections?: boolean;
  /**
   * True if the admin is not a superuser: it needs memberships in the owners of databases, and the backup role is not a
   * replication role.
   */
  limitedAdmin?: boolean;
  /** True if others run the server. Its login is the one in the settings, and no run of the stack changes it. */
  isExternal?: boolean;
  /** Version as the server reports it. */
  version: pulumi.Output<string>;
  superuser: Login;
  /**
   * The superuser with the password that the server currently accepts. In a preview of a rotation this is the old
   * password, which is known.
   */
  admin: Login;
}

/** Returns the connection inputs of the kit's resources for work in a database as the server's admin. */
export function adminConnection({ host, port, sslmode, caCertificate, admin }: Server, database: pulumi.Input<string>) {
  return { host, port, sslmode, caCertificate, database, ...admin };
}
