import { withClient } from "../../../scripts/connection/client.ts";
import type { DeclaredObjects } from "../../plan/admin-facts.ts";
import { describeRights, planRights } from "../../plan/admin-rights.ts";
import type { PluginFunction } from "../../provider-protocol/function-type.ts";
import { unlessUnreachable } from "../inputs/ask-database.ts";
import { connectionOf } from "../inputs/connection-inputs.ts";
import { readAdminFacts } from "./admin-facts.ts";

/**
 * Compares the rights of a server's admin with what a stack needs. Returns the message about all missing rights, and
 * the optional extensions that the admin cannot create. If the server accepts no connection, the answer is `known:
 * false` with the reason.
 */
export const missingRights: PluginFunction = {
  async call(_context, args) {
    const connection = connectionOf(args);
    if (connection === undefined) return { known: false, isDown: false, reason: "its address is not known yet" };
    const declared = JSON.parse(String(args.declared)) as DeclaredObjects;
    return unlessUnreachable(async () => {
      const { isSuperuser, facts } = await withClient(connection, (client) =>
        readAdminFacts(client, connection, declared),
      );
      if (isSuperuser) return { known: true, isSuperuser, leftOut: [] };
      const { default: pg } = await import("pg");
      const { missing, leftOut } = planRights(facts, declared, pg.escapeIdentifier);
      return {
        known: true,
        isSuperuser,
        leftOut: leftOut.map(({ database, extension }) => `${database} ${extension}`),
        ...(missing.length === 0 ? {} : { message: describeRights(facts.admin, missing) }),
      };
    });
  },
};
