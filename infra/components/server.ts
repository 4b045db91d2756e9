import type * as postgresql from "@pulumi/postgresql";
import type * as pulumi from "@pulumi/pulumi";

/** A login and its password. */
export interface Login {
  user: string;
  password: pulumi.Output<string>;
}

/** What a database needs of the server it is on, whatever kind that is. */
export interface Server extends pulumi.ComponentResource {
  /** The server's process or container: what is on it goes with it, and is not deleted piece by piece first. */
  process: pulumi.Resource;
  /** Known once real SQL ran on the server, and no earlier. */
  host: pulumi.Output<string>;
  port: pulumi.Output<number>;
  sslmode: string;
  /** Authorities to trust, PEM; absent: none of its own. */
  caCertificate?: pulumi.Output<string>;
  /** The admin's connection, for databases, roles, grants and extensions. */
  provider: postgresql.Provider;
  /** Connections are kept free for the roles that watch it and back it up (PostgreSQL 16 and later). */
  reservesConnections?: boolean;
  /** As the server says it. */
  version: pulumi.Output<string>;
  superuser: Login;
  /** The superuser with the password that the server takes: in a preview of a rotation still the old one, which is known. */
  admin: Login;
}
