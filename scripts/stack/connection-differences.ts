import { resolve } from "node:path";
import { type Connection, isLocalHost } from "../connection/connection.ts";
import type { LoginOutput, StackOutputs } from "../model/stack-outputs.ts";

/**
 * Compares a stored connection (a `.env`, a variable) with the stack's current one.
 *
 * @param outputs with passwords
 * @returns the differences, one phrase each; empty if the connection leads to the stack
 */
export function differencesFrom(outputs: StackOutputs, kept: Connection): string[] {
  const { server, databases } = outputs;
  if (!isSameHost(server.host, kept.host)) return [`host ${kept.host}, the stack's is ${server.host}`];
  const differences: string[] = [];
  if (kept.port !== server.port) differences.push(`port ${kept.port}, the stack's is ${server.port}`);
  const database = databases[kept.database];
  // Every server has the database postgres.
  if (database === undefined && kept.database !== "postgres")
    differences.push(`database "${kept.database}", the stack has ${Object.keys(databases).join(", ")}`);
  const login = loginOf(kept.user, [...Object.values(database?.logins ?? {}), ...Object.values(server.logins)]);
  if (login === undefined) {
    if (database !== undefined)
      differences.push(`user "${kept.user}", which is no login of the stack in this database`);
  } else if (kept.password !== undefined && kept.password !== login.password)
    differences.push(`the password of ${kept.user} differs from the stack's`);
  if (kept.sslmode !== server.sslmode) differences.push(`sslmode ${kept.sslmode}, the stack's is ${server.sslmode}`);
  else if (server.sslrootcert !== undefined && !isSameFile(kept.sslrootcert, server.sslrootcert))
    differences.push(`CA file ${kept.sslrootcert ?? "(none)"}, the stack's is ${server.sslrootcert}`);
  return differences;
}

function loginOf(user: string, logins: readonly (LoginOutput | undefined)[]): LoginOutput | undefined {
  return logins.find((login) => login?.user === user);
}

/** Treats all names of this machine as equal. */
function isSameHost(a: string, b: string): boolean {
  return a === b || (isLocalHost(a) && isLocalHost(b));
}

function isSameFile(a: string | undefined, b: string): boolean {
  return a !== undefined && resolve(a) === resolve(b);
}
