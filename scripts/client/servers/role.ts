import type { Client } from "pg";

/** Values of libpq's `target_session_attrs`. */
export const targetSessionAttrs = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"] as const;
export type TargetSessionAttrs = (typeof targetSessionAttrs)[number];

/** The state of a session that decides if its server is wanted. */
export interface SessionRole {
  /** The server is in recovery: a standby. */
  standby: boolean;
  /** Transactions are read-only by default. */
  readOnly: boolean;
}

const roleQuery =
  "select pg_catalog.pg_is_in_recovery() as standby, pg_catalog.current_setting('default_transaction_read_only') = 'on' as \"readOnly\"";

/** Asks for the role of a session. Servers before 14 and poolers do not report it at login, and it can change. */
export async function askRole(client: Client): Promise<SessionRole> {
  const { rows } = await client.query<SessionRole & Record<string, unknown>>(roleQuery);
  return rows[0] ?? { standby: false, readOnly: false };
}

/**
 * Reads the role from the parameters that a server reports at login (PostgreSQL 14 and later). Returns undefined if one
 * is missing, for example behind a pooler.
 */
export function roleFromParameters(parameters: ReadonlyMap<string, string>): SessionRole | undefined {
  const standby = parameters.get("in_hot_standby");
  const readOnly = parameters.get("default_transaction_read_only");
  return standby === undefined || readOnly === undefined
    ? undefined
    : { standby: standby === "on", readOnly: readOnly === "on" };
}

/** Returns true if a server of this role is wanted, with libpq's meaning of each value. */
export function matchesTarget({ standby, readOnly }: SessionRole, target: TargetSessionAttrs): boolean {
  switch (target) {
    case "any":
      return true;
    case "read-write":
      return !standby && !readOnly;
    case "read-only":
      return standby || readOnly;
    case "primary":
      return !standby;
    case "standby":
    case "prefer-standby":
      return standby;
  }
}

/** Names the role in messages. */
export function describeRole({ standby, readOnly }: SessionRole): string {
  return standby ? "a standby" : readOnly ? "a read-only primary" : "a primary";
}
