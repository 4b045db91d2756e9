import type { Client } from "pg";
import { asLogin } from "../../connection/session.ts";
import { lockKeys } from "../../ledger/deployment-lock.ts";
import type { DatabaseLeftover } from "./leftover.ts";

/** A session that holds the deployment lock. */
export interface Holder {
  pid: number;
  /** null if this role may not see it. */
  applicationName: string | null;
  user: string | null;
  address: string | null;
  connectedSince: Date | null;
  state: string | null;
  /** Time since when it has been in that state. */
  stateSince: Date | null;
}

/**
 * Returns the holders of the deployment lock of the client's database, or of graphile-migrate's lock. A session's
 * details are visible only to its own role.
 */
export async function readHolders(client: Client): Promise<Holder[]> {
  const { rows } = await asLogin(client, () =>
    client.query<Holder>(
      `select distinct l.pid, application_name as "applicationName", usename as "user", host(client_addr) as address,
              backend_start as "connectedSince", state, state_change as "stateSince"
         from pg_locks l left join pg_stat_activity a on a.pid = l.pid
        where locktype = 'advisory' and granted and objsubid = 1 and l.pid <> pg_backend_pid()
          and l.database = (select oid from pg_database where datname = current_database())
          and (classid::bigint << 32) | l.objid::bigint = any ($1::bigint[])
        order by 1`,
      [[...lockKeys]],
    ),
  );
  return rows;
}

/** Returns the leftover for a holder. Only the holder's own machine can tell if its process is alive. */
export function holderLeftover(holder: Holder): DatabaseLeftover {
  const { pid, applicationName, user, address, connectedSince, state, stateSince } = holder;
  const who = [
    `pid ${pid}`,
    ...(user === null ? [] : [address === null ? user : `${user} from ${address}`]),
    ...(connectedSince === null ? [] : [`connected since ${connectedSince.toISOString()}`]),
  ];
  const doing =
    state === null
      ? "its state is hidden from this role"
      : `${state}${stateSince === null ? "" : ` since ${stateSince.toISOString()}`}`;
  return {
    kind: "deployer",
    found: `${applicationName || "another session"} (${who.join(", ")}) holds the deployment lock: ${doing}`,
    advice: `Nothing is repaired in the meantime. Wait for it to end. If it was abandoned: \`migrate repair --terminate ${pid}\``,
  };
}

/**
 * Terminates a holder's session. The server then releases its locks.
 *
 * @returns false if this is not allowed, or if the session was gone
 */
export async function terminate(client: Client, pid: number): Promise<boolean> {
  // Waits up to 10 seconds for the session to end.
  const ask = () => client.query<{ ended: boolean }>("select pg_terminate_backend($1, 10000) as ended", [pid]);
  try {
    const { rows } = await asLogin(client, ask);
    return rows[0]?.ended === true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "42501") return false;
    throw error;
  }
}
