import { NotKnown } from "../../connection/observer.ts";
import type { Collector } from "../collector.ts";

/** The server itself. */
export interface ServerValues {
  version: string;
  startedAt: Date;
  database: string;
  role: "primary" | "replica";
  /** False if new transactions of this role begin read-only. */
  isWritable: boolean;
  /** Identifies the cluster and its history: a restored or promoted server begins another one. */
  systemIdentifier: string | null;
  timeline: number | null;
  /** End of the validity of the server's certificate; null if the session has no TLS. */
  certificateExpiresAt: Date | null;
}

export const server: Collector<ServerValues> = {
  name: "server",
  needs: "any role",
  async collect(observer) {
    const [row] = await observer.query<ServerValues & { inRecovery: boolean }>(
      `select current_setting('server_version') as version, pg_postmaster_start_time() as "startedAt",
              current_database()::text as database, pg_is_in_recovery() as "inRecovery",
              not pg_is_in_recovery() and current_setting('default_transaction_read_only') = 'off' as "isWritable"`,
    );
    if (row === undefined) throw new NotKnown("the server returned no row");
    const { inRecovery, ...values } = row;
    const { certificateExpiresAt } = observer.facts;
    const role = inRecovery ? "replica" : "primary";
    return { ...values, role, ...(await identity(() => observer.query(control))), certificateExpiresAt };
  },
};

const control = `select system_identifier::text as "systemIdentifier", timeline_id as timeline
  from pg_control_system(), pg_control_checkpoint()`;

/** Some hosting providers refuse these functions. The other values do not depend on them. */
async function identity(
  ask: () => Promise<{ systemIdentifier: string; timeline: number }[]>,
): Promise<{ systemIdentifier: string | null; timeline: number | null }> {
  const none = { systemIdentifier: null, timeline: null };
  try {
    return (await ask())[0] ?? none;
  } catch (error) {
    if (error instanceof NotKnown) return none;
    throw error;
  }
}
