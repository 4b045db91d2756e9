import { UseAfterEndError } from "./errors.ts";
import type { ServerClient } from "./server-client.ts";

/** A client for one use. Afterwards the handle is dead, while the client itself serves others. */
export interface LentClient<Client extends ServerClient = ServerClient> {
  /** Does all that the client does, until `end` is called. */
  handle: Client;
  /** Refuses every later use of the handle. */
  end(): void;
}

/** Members with which a former user would disturb the client's next user. */
const refused: readonly PropertyKey[] = ["query", "connect", "end", "destroy", "setTypeParser"];

/**
 * Returns a handle of a client, so that whoever keeps it after the client was returned cannot use the client of another
 * request.
 *
 * @param own members that only the handle has
 */
export function lendClient<Own extends object>(client: ServerClient, own: Own): LentClient<ServerClient & Own> {
  let ended = false;
  const bound = new Map<PropertyKey, unknown>();
  const handle = new Proxy(client, {
    get(target, key) {
      if (Object.hasOwn(own, key)) return own[key as keyof Own];
      if (ended && refused.includes(key)) return refuse;
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      if (!bound.has(key)) bound.set(key, value.bind(target));
      return bound.get(key);
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
  const end = () => {
    ended = true;
  };
  return { handle: handle as ServerClient & Own, end };
}

function refuse(): Promise<never> {
  return Promise.reject(
    new UseAfterEndError("The client was returned to the pool, so its former user cannot use it any more.", {
      hint: "Await each statement before the client is returned or its transaction ends.",
    }),
  );
}
