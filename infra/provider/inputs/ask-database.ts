import { isDeepStrictEqual } from "node:util";
import { withClient } from "../../../scripts/connection/client.ts";
import type { Connection } from "../../../scripts/connection/connection.ts";
import { ConnectionError } from "../../../scripts/connection/connection-error.ts";
import { isUnknown, type Properties } from "../../provider-protocol/values.ts";
import { connectionKeys, connectionOf, optionalKeys } from "./connection-inputs.ts";

/**
 * Runs queries of a server. If it accepts no connection, the answer is `known: false` with the reason.
 */
export async function unlessUnreachable<Answer>(query: () => Promise<Answer>): Promise<Answer | Unreachable> {
  try {
    return await query();
  } catch (error) {
    if (error instanceof ConnectionError)
      return { known: false, isDown: error.failure === "unreachable", reason: error.text };
    throw error;
  }
}

/** Answer of a server that accepts no connection. */
export interface Unreachable {
  known: false;
  /** True if the server does not answer. False if it refuses. */
  isDown: boolean;
  reason: string;
}

/**
 * Queries the database at the inputs' connection. If it does not answer, the old inputs' connection is tried: a preview
 * may have a new port, and an interrupted rotation leaves the old password. If the server is down, the reason is always
 * the same text, whatever error the driver reported. Without old inputs, the present port is not known, and the reason
 * does not claim that the server is down.
 *
 * @param ask called without a connection if the server does not exist yet; may throw ConnectionError
 */
export async function askDatabase<Answer extends { known: true } | { known: false; reason: string }>(
  news: Properties,
  oldInputs: Properties | undefined,
  ask: (connection: Connection | undefined) => Promise<Answer>,
): Promise<Answer | Unreachable> {
  const connection = connectionToAsk(news, oldInputs);
  const answer = await unlessUnreachable(() => ask(connection));
  if (answer.known || connection === undefined) return answer;
  const before = oldInputs === undefined ? undefined : connectionOf(oldInputs);
  const earlier =
    before === undefined || isDeepStrictEqual(before, connection)
      ? undefined
      : await unlessUnreachable(() => ask(before));
  if (earlier?.known) return earlier;
  if (!(await isDown(connection))) return answer;
  // The server still answers at its present address: its reason counts.
  if (before !== undefined && earlier !== undefined && !(await isDown(before))) return earlier;
  const { host, port } = connection;
  const reason =
    before === undefined
      ? `no server answers on ${host}:${port}: it is down, or its port is about to change`
      : "server is down";
  return { known: false, isDown: true, reason };
}

async function isDown(connection: Connection): Promise<boolean> {
  try {
    await withClient(connection, async () => undefined);
    return false;
  } catch (error) {
    return error instanceof ConnectionError && error.failure === "unreachable";
  }
}

/**
 * Returns the connection to query at preview, or undefined if the server does not exist yet. If a part of it is about
 * to change (such as a rotated password), the server still has the old value, which the old inputs contain.
 */
export function connectionToAsk(news: Properties, oldInputs: Properties | undefined): Connection | undefined {
  const known = Object.fromEntries(
    connectionKeys
      .map((key) => [key, isUnknown(news[key]) ? oldInputs?.[key] : news[key]])
      .filter(([, value]) => value !== undefined),
  );
  // A value that is left out is complete. A value that is unknown is not.
  const complete = connectionKeys.every((key) => key in known || (optionalKeys.includes(key) && !isUnknown(news[key])));
  return complete ? connectionOf(known) : undefined;
}
