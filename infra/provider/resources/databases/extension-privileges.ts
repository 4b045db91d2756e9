import { withClient } from "../../../../scripts/connection/client.ts";
import { ConnectionError } from "../../../../scripts/connection/connection-error.ts";
import {
  grantExtensionPrivileges,
  missingExtensionPrivileges,
} from "../../../../scripts/databases/extension-privileges.ts";
import { type ExtensionPrivilege, planExtensionPrivileges } from "../../../../scripts/model/extension-privileges.ts";
import type { Properties } from "../../../provider-protocol/values.ts";
import { pendingWorkType } from "./pending-work.ts";

/**
 * Privileges of a database's roles on its extensions, granted by the login that owns these. Preview lists the missing
 * ones by extension and role, also those that were revoked by hand.
 */
export const extensionPrivileges = pendingWorkType({
  id: (inputs) => `${inputs.database}/extension-privileges`,
  identity: ["database"],
  previewOutputs: {},
  announcement: (name) => `to grant: ${name}`,

  async ask(connection, inputs) {
    const plan = planOf(inputs);
    if (connection === undefined) return { known: true, names: grantsOf(plan) };
    try {
      return {
        known: true,
        names: grantsOf(await withClient(connection, (client) => missingExtensionPrivileges(client, plan))),
      };
    } catch (error) {
      if (error instanceof ConnectionError && error.failure === "database-missing")
        return { known: true, names: grantsOf(plan) };
      throw error;
    }
  },

  async run(context, connection, inputs) {
    const granted = await withClient(connection, (client) => grantExtensionPrivileges(client, planOf(inputs)));
    for (const grant of grantsOf(granted)) await context.log("info", `granted ${grant}`);
    return {};
  },
});

function planOf({ database, extensions }: Properties): ExtensionPrivilege[] {
  const declared = Object.entries((extensions ?? {}) as Record<string, unknown>);
  return planExtensionPrivileges(
    String(database),
    declared.map(([name, schema]) => ({ name, ...(schema === "" ? {} : { schema: String(schema) }) })),
  );
}

/** Returns one line for each extension and role. */
function grantsOf(privileges: readonly { extension: string; role: string }[]): string[] {
  return [...new Set(privileges.map(({ extension, role }) => `privileges on ${extension} to ${role}`))];
}
