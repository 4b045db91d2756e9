import { superuserRefusedRemedy } from "../../scripts/stack/engine-failure.ts";
import { withClient } from "../../scripts/target/client.ts";
import type { Connection } from "../../scripts/target/connection.ts";
import { ConnectionError } from "../../scripts/target/connection-error.ts";
import type { PluginFunction } from "../plugin/function-type.ts";
import type { Properties } from "../plugin/values.ts";
import { connectionOf } from "./connection-inputs.ts";

/**
 * Which of the asked roles and databases a server has. A server that gives no connection is an answer of its own: `known: false`, with the reason, since a
 * preview goes on without it and an `up` does not.
 */
export const existingObjects: PluginFunction = {
  secretArguments: ["password"],

  async call(_context, args) {
    const connection = connectionOf(args);
    if (connection === undefined) return { known: false, isDown: false, reason: "its address is not known yet" };
    try {
      return { known: true, ...(await ask(connection, names(args, "roles"), names(args, "databases"))) };
    } catch (error) {
      if (error instanceof ConnectionError) {
        const reason = error.failure === "password" ? `${error.message}\n  ${superuserRefusedRemedy}` : error.text;
        return { known: false, isDown: error.failure === "unreachable", reason };
      }
      throw error;
    }
  },
};

function ask(connection: Connection, roles: string[], databases: string[]): Promise<Properties> {
  return withClient(connection, async (client) => {
    const { rows } = await client.query<{ roles: string[]; databases: string[] }>(
      `SELECT ARRAY(SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname = ANY ($1) ORDER BY 1) AS roles,
              ARRAY(SELECT datname::text FROM pg_catalog.pg_database WHERE datname = ANY ($2) ORDER BY 1) AS databases`,
      [roles, databases],
    );
    return { ...rows[0] };
  });
}

function names(args: Properties, key: string): string[] {
  const value = args[key];
  return Array.isArray(value) ? value.map(String) : [];
}
