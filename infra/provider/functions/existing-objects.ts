import type { Client } from "pg";
import {
  type CollationMismatch,
  changedCollationsOf,
  databasesWithChangedCollation,
  describeCollationMismatch,
} from "../../../scripts/catalog/collation-versions.ts";
import { withClient } from "../../../scripts/connection/client.ts";
import { type Connection, inDatabase } from "../../../scripts/connection/connection.ts";
import { ConnectionError } from "../../../scripts/connection/connection-error.ts";
import { endlessCommitsAfterWait, standbyHint } from "../../../scripts/connection/synchronous-standbys.ts";
import { superuserRefusedHint } from "../../../scripts/stack/engine-failure.ts";
import type { PluginFunction } from "../../provider-protocol/function-type.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { connectionOf } from "../inputs/connection-inputs.ts";
import { type PostgresAccess, readPostgresAccess } from "./postgres-access.ts";

/**
 * Lists which of the given roles and databases a server has, and other databases with an owner named by the kit's
 * convention. Warns of collations whose version has changed. If the server accepts no connection, the answer is
 * `known: false` with the reason: a preview goes on without it, but an `up` does not.
 */
export const existingObjects: PluginFunction = {
  async call(_context, args) {
    const connection = connectionOf(args);
    if (connection === undefined) return { known: false, isDown: false, reason: "its address is not known yet" };
    try {
      const { collations, ...found } = await ask(connection, names(args, "roles"), names(args, "databases"));
      const contents = await Promise.all(found.databases.map((database) => contentsOf(connection, database)));
      return {
        known: true,
        ...found,
        extensions: contents.flatMap(({ extensions }) => extensions),
        warnings: collationWarnings([...collations, ...contents.flatMap((each) => each.collations)]),
      };
    } catch (error) {
      if (error instanceof ConnectionError) {
        const reason = error.failure === "password" ? `${error.message}\n  ${superuserRefusedHint}` : error.text;
        return { known: false, isDown: error.failure === "unreachable", reason };
      }
      throw error;
    }
  },
};

interface Found {
  roles: string[];
  databases: string[];
  undeclared: string[];
  /** Sentence about a missing synchronous standby that every commit would wait for. */
  endlessCommits?: string;
}

function ask(
  connection: Connection,
  roles: string[],
  databases: string[],
): Promise<Found & PostgresAccess & Pick<Contents, "collations">> {
  return withClient(connection, async (client) => {
    const { rows } = await client.query<Found>(
      `SELECT ARRAY(SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname = ANY ($1) ORDER BY 1) AS roles,
              ARRAY(SELECT datname::text FROM pg_catalog.pg_database WHERE datname = ANY ($2) ORDER BY 1) AS databases,
              ARRAY(SELECT datname::text
                    FROM pg_catalog.pg_database JOIN pg_catalog.pg_roles owner ON owner.oid = datdba
                    WHERE owner.rolname = datname || '_owner' AND datname <> ALL ($2) ORDER BY 1) AS undeclared`,
      [roles, databases],
    );
    const found = rows[0] ?? { roles: [], databases: [], undeclared: [] };
    const own = await collationsOf(client, connection.database);
    const access = await readPostgresAccess(client, roles);
    const endless = await endlessCommitsAfterWait(client);
    const commits = endless === undefined ? {} : { endlessCommits: `${endless}\n  ${standbyHint}` };
    return { ...found, ...access, ...commits, collations: [...own, ...(await databasesWithChangedCollation(client))] };
  });
}

/** Facts about one database that its own catalog has. */
interface Contents {
  /** Each extension with its schema, as JSON. */
  extensions: string[];
  /** Changed collations, or the reason why they or the extensions are unknown. */
  collations: (CollationMismatch | string)[];
}

/** Reads a database's own catalog, or returns the reason why it accepts no connection. */
async function contentsOf(connection: Connection, database: string): Promise<Contents> {
  try {
    return await withClient(inDatabase(connection, database), async (client) => {
      const { rows } = await client.query<{ name: string; schema: string }>(
        `SELECT extname::text AS name, nspname::text AS schema
           FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace ORDER BY 1`,
      );
      return {
        extensions: rows.map(({ name, schema }) => JSON.stringify([database, name, schema])),
        collations: await collationsOf(client, database),
      };
    });
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    const unread = `The extensions and collations of database "${database}" could not be read: ${error.text}`;
    return { extensions: [], collations: [unread] };
  }
}

/** A catalog that cannot be read must not stop an `up`. */
async function collationsOf(client: Client, database: string): Promise<Contents["collations"]> {
  try {
    return [await changedCollationsOf(client)].flatMap((each) => each ?? []);
  } catch (error) {
    const { default: pg } = await import("pg");
    if (!(error instanceof pg.DatabaseError)) throw error;
    return [`The collation versions of database "${database}" could not be compared: ${error.message}`];
  }
}

/** Formats one warning for each database. If a database was searched, this replaces what others say of it. */
function collationWarnings(collations: Contents["collations"]): string[] {
  const reasons = collations.filter((each) => typeof each === "string");
  const mismatches = collations.filter((each) => typeof each !== "string");
  const isSearched = ({ database }: CollationMismatch) =>
    mismatches.some((each) => each.database === database && each.indexes !== undefined);
  const shown = mismatches.filter((each) => each.indexes !== undefined || !isSearched(each));
  shown.sort((a, b) => (a.database < b.database ? -1 : 1));
  return [...shown.map(describeCollationMismatch), ...reasons];
}

function names(args: Properties, key: string): string[] {
  const value = args[key];
  return Array.isArray(value) ? value.map(String) : [];
}
