import { withClient } from "../../../../scripts/connection/client.ts";
import { grantOwnMemberships, lackingMemberships } from "../../../../scripts/connection/own-memberships.ts";
import type { Properties } from "../../../provider-protocol/values.ts";
import { pendingWorkType } from "./pending-work.ts";

/**
 * Memberships of a login that is not a superuser in roles that it administers, with INHERIT and SET. Without them it
 * cannot create a database for another owner, or change the owner's privileges. Preview lists the missing ones.
 */
export const adminMembership = pendingWorkType({
  id: (inputs) => `${inputs.user}/${rolesOf(inputs).join("/")}`,
  identity: ["user"],
  previewOutputs: {},
  announcement: (name, inputs) => `membership to grant: ${name} to ${inputs.user}`,

  async ask(connection, inputs) {
    if (connection === undefined) return { known: true, names: rolesOf(inputs) };
    const names = await withClient(connection, (client) => lackingMemberships(client, rolesOf(inputs)));
    return { known: true, names };
  },

  async run(context, connection, inputs) {
    const granted = await withClient(connection, async (client) => {
      const lacking = await lackingMemberships(client, rolesOf(inputs));
      await grantOwnMemberships(client, lacking);
      return lacking;
    });
    for (const role of granted) await context.log("info", `granted ${role} to ${inputs.user}`);
    return {};
  },
});

function rolesOf(inputs: Properties): string[] {
  return Array.isArray(inputs.roles) ? inputs.roles.map(String) : [];
}
