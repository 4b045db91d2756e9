/** The session that holds the deployment lock. */
export interface LockHolder {
  pid: number;
  /** null if this role may not see it. */
  applicationName: string | null;
  user: string | null;
  /** Client's address; null for a socket, or if this role may not see it. */
  address: string | null;
  /** Time at which the holder connected; null if this role may not see it. */
  since: Date | null;
}

/** Describes the holder in a few words, for people. */
export function describeHolder({ pid, applicationName, user, address, since }: LockHolder): string {
  const parts = [`pid ${pid}`];
  if (user !== null) parts.push(address === null ? user : `${user} from ${address}`);
  if (since !== null) parts.push(`connected since ${since.toISOString()}`);
  return `${applicationName || "another session"} (${parts.join(", ")})`;
}
