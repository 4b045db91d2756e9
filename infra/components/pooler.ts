import * as pulumi from "@pulumi/pulumi";
import { PoolerObjects, type PoolerObjectsArgs } from "./pooler-objects.ts";
import type { Login } from "./server.ts";

export type { PooledDatabase } from "./pooler-objects.ts";

/** Type of the component, as in URNs. */
export const poolerType = "pgroundwork:components:Pooler";

export interface PoolerArgs extends PoolerObjectsArgs {
  /** True if an exporter is declared, which Prometheus queries. */
  monitored: boolean;
}

/**
 * PgBouncer in front of a server: the role that looks up logins, the container, and a login to each database through
 * it.
 */
export class Pooler extends pulumi.ComponentResource {
  /** Known once SQL has run through the pooler in every database. */
  readonly port: pulumi.Output<number>;
  readonly container: pulumi.Output<string>;
  /** Login with which the pooler looks up all others. */
  readonly login: Login;

  constructor(name: string, { monitored, ...args }: PoolerArgs, options?: pulumi.ComponentResourceOptions) {
    super(poolerType, name, {}, options);
    const objects = new PoolerObjects(this, name, args);
    if (monitored) objects.declareExporter();
    ({ port: this.port, container: this.container, login: this.login } = objects);
    this.registerOutputs({ port: this.port, container: this.container });
  }
}
