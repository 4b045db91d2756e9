import * as pulumi from "@pulumi/pulumi";
import { type DatabaseArgs, DatabaseObjects } from "./database-objects.ts";

export type { DatabaseArgs } from "./database-objects.ts";

/** Type of the component, as in URNs. */
export const databaseType = "pgroundwork:components:Database";

/**
 * One database on a server, with its roles, extensions and privileges. Then it applies the contents of its folder:
 * migrations, partitions for the coming months, and seeds.
 */
export class Database extends pulumi.ComponentResource {
  readonly logins: DatabaseObjects["logins"];
  readonly migrations: DatabaseObjects["migrations"];
  readonly seeds: DatabaseObjects["seeds"];

  constructor(name: string, args: DatabaseArgs, options?: pulumi.ComponentResourceOptions) {
    super(databaseType, name, {}, options);
    ({ logins: this.logins, migrations: this.migrations, seeds: this.seeds } = new DatabaseObjects(this, name, args));
    this.registerOutputs({ migrations: this.migrations, seeds: this.seeds });
  }
}
