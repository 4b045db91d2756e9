import type { Client } from "pg";
import { tableAccess } from "../ledger/kit-schema.ts";
import { trackingTable } from "./graphile-migrate.ts";
import { readLedger } from "./ledger.ts";
import type { LedgerEntry, TrackedRow } from "./status.ts";

/** A database's records of its migrations. `tracked` is false if nothing was ever applied there. */
export type TrackingAnswer =
  | { known: true; tracked: boolean; rows: TrackedRow[]; ledger: LedgerEntry[] }
  | { known: false; reason: string };

/**
 * Reads both records of applied files. Issues no DDL. For a role that may not read them it returns `known: false`,
 * never an empty list.
 */
export async function readTracking(client: Client): Promise<TrackingAnswer> {
  const access = await tableAccess(client, trackingTable.schema, trackingTable.name);
  if (access === "denied") {
    return {
      known: false,
      reason: `permission denied: user "${client.user}" may not read ${trackingTable.schema}.${trackingTable.name}`,
    };
  }
  const tracked = access === "readable";
  return { known: true, tracked, rows: tracked ? await readRows(client) : [], ledger: await readLedger(client) };
}

async function readRows(client: Client): Promise<TrackedRow[]> {
  const { rows } = await client.query<TrackedRow>(
    'select hash, previous_hash as "previousHash", filename as "trackingName", date from graphile_migrate.migrations',
  );
  return rows;
}
