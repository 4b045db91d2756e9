import type * as postgresql from "@pulumi/postgresql";
import type * as pulumi from "@pulumi/pulumi";
import type { ServerRole } from "../plan/names.ts";

/** A login and its password. */
export interface Login {
  user: string;
  password: pulumi.Output<string>;
}

/** What a database needs of the server it is on, whatever kind that is. */
export interface Server {
  /** The server's process or container: what is on it goes with it, and is not deleted piece by piece first. */
  process: pulumi.Resource;
  /** Known once real SQL ran on the server, and no earlier. */
  host: pulumi.Output<string>;
  port: pulumi.Output<number>;
  sslmode: string;
  /** The admin's connection, for databases, roles, grants and extensions. */
  provider: postgresql.Provider;
  superuser: Login;
  /** Logins of the roles that every database lets in. */
  roles: Record<ServerRole, Login>;
  /** What the roles above are waited for by. */
  rolesReady: pulumi.Resource[];
}
