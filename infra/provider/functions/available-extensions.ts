import { withClient } from "../../../scripts/connection/client.ts";
import { isFromServer } from "../../../scripts/connection/server-fault.ts";
import type { PluginFunction } from "../../provider-protocol/function-type.ts";
import { unlessUnreachable } from "../inputs/ask-database.ts";
import { connectionOf } from "../inputs/connection-inputs.ts";

/**
 * Lists the extensions that a server can create. If the server accepts no connection or does not answer the query, the
 * answer is `known: false` with the reason.
 */
export const availableExtensions: PluginFunction = {
  async call(_context, args) {
    const connection = connectionOf(args);
    if (connection === undefined) return { known: false, isDown: false, reason: "its address is not known yet" };
    try {
      return await unlessUnreachable(async () => {
        const { rows } = await withClient(connection, (client) =>
          client.query<{ name: string }>("select name from pg_catalog.pg_available_extensions order by name"),
        );
        return { known: true, extensions: rows.map(({ name }) => name) };
      });
    } catch (error) {
      // Such as a statement_timeout of the role that is too short for any query.
      if (isFromServer(error)) return { known: false, isDown: false, reason: `the query failed: ${error.message}` };
      throw error;
    }
  },
};
