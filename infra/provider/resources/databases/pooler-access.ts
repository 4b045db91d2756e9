import { withClient } from "../../../../scripts/connection/client.ts";
import { grantPoolerAccess, missingPoolerAccess } from "../../../../scripts/databases/pooler-access.ts";
import { poolerSchema } from "../../../../scripts/model/pooler.ts";
import { pendingWorkType } from "./pending-work.ts";

/**
 * Lets the pooler's role look up the logins of applications. Preview lists what is missing, also what was dropped or
 * changed by hand.
 */
export const poolerAccess = pendingWorkType({
  id: (inputs) => `${inputs.database}/${poolerSchema}`,
  identity: ["database", "role"],
  previewOutputs: {},
  announcement: (name) => `to create: ${name}`,

  async ask(connection, inputs) {
    if (connection === undefined) return { known: true, names: [`schema ${poolerSchema}`] };
    const names = await withClient(connection, (client) => missingPoolerAccess(client, String(inputs.role)));
    return { known: true, names };
  },

  async run(context, connection, inputs) {
    const created = await withClient(connection, (client) => grantPoolerAccess(client, String(inputs.role)));
    for (const name of created) await context.log("info", `created ${name}`);
    return {};
  },
});
