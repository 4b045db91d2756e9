import { isDeepStrictEqual } from "node:util";
import { withClient } from "../../scripts/target/client.ts";
import type { Connection } from "../../scripts/target/connection.ts";
import { ConnectionError } from "../../scripts/target/connection-error.ts";
import { isUnknown, type Properties } from "../plugin/values.ts";
import { connectionKeys, connectionOf, optionalKeys } from "./connection-inputs.ts";

/**
 * Asks the database that the inputs lead to. Where it does not answer and stood elsewhere until now (a preview of another port), or had another password (one of
 * a rotation that was interrupted), it is asked as before. That the server is down is said in these words, whatever the driver called it.
 *
 * @param ask given no connection where there is no server yet
 */
export async function askDatabase<Answer extends { known: true } | { known: false; reason: string }>(
  news: Properties,
  oldInputs: Properties | undefined,
  ask: (connection: Connection | undefined) => Promise<Answer>,
): Promise<Answer | { known: false; reason: string }> {
  const connection = connectionToAsk(news, oldInputs);
  const answer = await ask(connection);
  if (answer.known || connection === undefined) return answer;
  const before = oldInputs === undefined ? undefined : connectionOf(oldInputs);
  if (before !== undefined && !isDeepStrictEqual(before, connection)) {
    const earlier = await ask(before);
    if (earlier.known) return earlier;
  }
  return (await isDown(connection)) ? { known: false, reason: "server is down" } : answer;
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
 * The connection to ask at preview. Where a part of it is about to change (a password that is rotated), the server still has the old one, which
 * the old inputs hold. Undefined: there is no server yet.
 */
export function connectionToAsk(news: Properties, oldInputs: Properties | undefined): Connection | undefined {
  const known = Object.fromEntries(
    connectionKeys
      .map((key) => [key, isUnknown(news[key]) ? oldInputs?.[key] : news[key]])
      .filter(([, value]) => value !== undefined),
  );
  // What is left out is complete; what is not known yet is not.
  const complete = connectionKeys.every((key) => key in known || (optionalKeys.includes(key) && !isUnknown(news[key])));
  return complete ? connectionOf(known) : undefined;
}
