import { randomUUID } from "node:crypto";
import { withClient } from "../../scripts/target/client.ts";
import type { Connection } from "../../scripts/target/connection.ts";
import { ConnectionError } from "../../scripts/target/connection-error.ts";
import type { PropertyChange } from "../plugin/resource-type.ts";
import { isUnknown, type Properties } from "../plugin/values.ts";
import { connectionKeys, connectionOf } from "./connection-inputs.ts";

/*
 * Migrations, seeds and partitions are work on a database whose extent only the database knows. `check` asks it at every preview and up, and
 * puts the names of what is to be done into an input, `pending`: the engine shows an input's change by itself, name by name.
 */

/** The input that the program never sets. */
export const pendingKey = "pending";

/** Tells one asking from the next; engines show no key that begins like this. */
const askedKey = "__asked";

/** An answer of the database, or why there is none. */
export type Pending = { known: true; names: string[] } | { known: false; reason: string };

/**
 * The inputs that `check` adds: names, or one line that says why there are none. Never an empty list for "could not tell".
 *
 * What was pending stays among the inputs when it was applied, and a refresh compares these with themselves: by the mark of the asking it is known as done.
 */
export function pendingInputs(pending: Pending): Properties {
  const names = pending.known ? pending.names : [`pending unknown, ${pending.reason}`];
  return { [pendingKey]: names, ...(names.length === 0 ? {} : { [askedKey]: randomUUID() }) };
}

/**
 * Asks the database that the inputs lead to. Where it does not answer and stood elsewhere until now (a preview of another port), it is asked there.
 * That the server is down is said in these words, whatever the driver called it.
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
  if (before !== undefined && (before.host !== connection.host || before.port !== connection.port)) {
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
  const complete = connectionKeys.every((key) => key in known || key === "sslmode");
  return complete ? connectionOf(known) : undefined;
}

/**
 * Pending work is a change, and so is another place or set of files. Another address, user or password is none: nothing has to run for it.
 */
export function diffPending(oldInputs: Properties, news: Properties, identity: readonly string[]): PropertyChange[] {
  const done = news[askedKey] !== undefined && news[askedKey] === oldInputs[askedKey];
  const pending = done ? [] : ((news[pendingKey] as string[] | undefined) ?? []);
  const changes: PropertyChange[] = pending.map((_, index) => ({ path: `${pendingKey}[${index}]`, kind: "add" }));
  for (const key of identity) {
    if (oldInputs[key] !== news[key]) changes.push({ path: key, kind: "update" });
  }
  return changes;
}
