import type { StateAccess } from "../stack/stack-state.ts";
import type { Connection } from "../target/connection.ts";
import { outputsConnection } from "./outputs-connection.ts";
import type { StackContent } from "./stack-content.ts";
import type { StackData } from "./stack-data.ts";

/** What a stack has whose server somebody else runs: what is on that server stays there. A database of it is dropped where it is named. */
export function externalData(access: StateAccess, { isUp }: StackContent): StackData {
  return {
    look: async () => ({
      running: undefined,
      hasData: true,
      place: "the server, which somebody else runs",
      goes: [],
      stays: [],
      wayBack: undefined,
      answer: {},
    }),
    async stop() {},
    admin: async (): Promise<Connection | undefined> => (isUp ? outputsConnection(access) : undefined),
    find: async () => ({
      found: [],
      places: [],
      begun: [],
      erase: async () => ({ foreign: [], linked: [] }),
    }),
  };
}
