import type { Connection } from "../../scripts/target/connection.ts";
import type { PropertyChange } from "../plugin/resource-type.ts";
import { isUnknown, type Properties } from "../plugin/values.ts";
import { connectionKeys, connectionOf } from "./connection-inputs.ts";

/*
 * Migrations, seeds and partitions are work on a database whose extent only the database knows. `check` asks it at every preview and up, and
 * puts the names of what is to be done into an input, `pending`: the engine shows an input's change by itself, name by name.
 */

/** The input that the program never sets. */
export const pendingKey = "pending";

/** An answer of the database, or why there is none. */
export type Pending = { known: true; names: string[] } | { known: false; reason: string };

/** What stands in `pending`: names, or one line that says why there are none. Never an empty list for "could not tell". */
export function pendingInput(pending: Pending): string[] {
  return pending.known ? pending.names : [`pending unknown, ${pending.reason}`];
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
  const pending = (news[pendingKey] as string[] | undefined) ?? [];
  const changes: PropertyChange[] = pending.map((_, index) => ({ path: `${pendingKey}[${index}]`, kind: "add" }));
  for (const key of identity) {
    if (oldInputs[key] !== news[key]) changes.push({ path: key, kind: "update" });
  }
  return changes;
}
