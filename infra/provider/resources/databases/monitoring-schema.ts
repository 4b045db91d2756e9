import { withClient } from "../../../../scripts/connection/client.ts";
import { ConnectionError } from "../../../../scripts/connection/connection-error.ts";
import { monitoringSchema as schema } from "../../../../scripts/connection/observer.ts";
import {
  createMonitoring,
  type MonitoringRoles,
  missingMonitoring,
} from "../../../../scripts/databases/monitoring-schema.ts";
import type { Properties } from "../../../provider-protocol/values.ts";
import { pendingWorkType } from "./pending-work.ts";

/**
 * The schema of a database in which the monitoring role reads pg_stat_statements and the records of migrations. Preview
 * lists what is missing, also what was dropped or changed by hand. What the login may not create stays out.
 */
export const monitoringSchema = pendingWorkType({
  id: (inputs) => `${inputs.database}/${schema}`,
  identity: ["database"],
  previewOutputs: {},
  announcement: (name) => `to create: ${name}`,

  async ask(connection, inputs, isNew) {
    // Preview and `up` name the same: the parts of a schema that does not exist are not known before its database is.
    const whole = `schema ${schema}`;
    if (connection === undefined) return { known: true, names: [whole] };
    try {
      const steps = await withClient(connection, (client) => missingMonitoring(client, rolesOf(inputs), isNew));
      const names = steps.map(({ name }) => name);
      return { known: true, names: names.includes(whole) ? [whole] : names };
    } catch (error) {
      if (error instanceof ConnectionError && error.failure === "database-missing")
        return { known: true, names: [whole] };
      throw error;
    }
  },

  async run(context, connection, inputs) {
    const { created, refused, exists } = await withClient(connection, (client) =>
      createMonitoring(client, rolesOf(inputs)),
    );
    for (const name of created) await context.log("info", `created ${name}`);
    for (const reason of refused)
      await context.log("info", `the server refuses ${reason}. The state of its queries stays unknown to monitoring.`);
    if (!exists)
      await context.log("info", `nothing was created: ${inputs.user} may not create a schema in ${inputs.database}`);
    return {};
  },
});

function rolesOf({ monitor, owner }: Properties): MonitoringRoles {
  return { monitor: String(monitor), owner: owner === undefined ? undefined : String(owner) };
}
