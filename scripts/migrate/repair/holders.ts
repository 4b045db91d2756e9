import type { Client } from "pg";
import { lockKeys } from "../../database/deployment-lock.ts";
import { asLogin } from "../../database/session.ts";
import type { RepairFinding } from "./finding.ts";

/** A session that has the lock that keeps deployers apart. */
export interface Holder {
  pid: number;
  /** null where this role may not see it. */
  applicationName: string | null;
  user: string | null;
  address: string | null;
  connectedSince: Date | null;
  state: string | null;
  /** Since when it has been in that state. */
  stateSince: Date | null;
}

/** Whoever holds the deployment lock of the client's database, or graphile-migrate's. Sessions show their details to their own role only. */
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

/** What is to be said of a holder: whether its process is alive only its machine can tell. */
export function holderFinding(holder: Holder): RepairFinding {
  const { pid, applicationName, user, address, connectedSince, state, stateSince } = holder;
  const who = [
    `pid ${pid}`,
    ...(user === null ? [] : [address === null ? user : `${user} from ${address}`]),
    ...(connectedSince === null ? [] : [`connected since ${connectedSince.toISOString()}`]),
  ];
  const doing =
    state === null
      ? "what it does, this role may not see"
      : `${state}${stateSince === null ? "" : ` since ${stateSince.toISOString()}`}`;
  return {
    kind: "deployer",
    found: `${applicationName || "another session"} (${who.join(", ")}) holds the deployment lock: ${doing}`,
    advice: `Nothing is repaired while it does. Let it end; if nobody is behind it any more, \`migrate repair --terminate ${pid}\` ends it.`,
  };
}

/**
 * Ends a holder's session; the server frees its locks.
 *
 * @returns false where it is not allowed, or the session was gone
 */
export async function terminate(client: Client, pid: number): Promise<boolean> {
  // Waits for its end, at most so many ms.
  const ask = () => client.query<{ ended: boolean }>("select pg_terminate_backend($1, 10000) as ended", [pid]);
  try {
    const { rows } = await asLogin(client, ask);
    return rows[0]?.ended === true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "42501") return false;
    throw error;
  }
}
