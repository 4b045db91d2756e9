import type { Connection } from "../../connection/connection.ts";
import type { StateAccess } from "../stack-state.ts";
import { outputsConnection } from "./outputs-connection.ts";
import type { StackContent } from "./stack-content.ts";
import type { StackData } from "./stack-data.ts";

/**
 * Returns the data of a stack with an external server. Everything on that server stays. A database is dropped only if
 * it is named.
 */
export function externalData(access: StateAccess, { isUp }: StackContent): StackData {
  return {
    look: async () => ({
      running: undefined,
      hasData: true,
      place: "the external server",
      goes: [],
      stays: [],
      firstStep: undefined,
      answer: {},
      facts: [],
    }),
    async stop() {},
    admin: async (): Promise<Connection | undefined> => (isUp ? outputsConnection(access) : undefined),
    find: async () => ({
      found: [],
      places: [],
      begun: [],
      facts: [],
      erase: async () => ({ foreign: [], linked: [] }),
    }),
  };
}
