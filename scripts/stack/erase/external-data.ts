import {
  describeExternalObjects,
  externalLogin,
  findExternalObjects,
  listExternalObjects,
  type Reached,
} from "../external-server.ts";
import type { Stack } from "../stack.ts";
import { outputsConnection } from "./outputs-connection.ts";
import type { StackData } from "./stack-data.ts";
import type { Survey } from "./survey.ts";

/**
 * Returns the data of a stack with an external server. Everything on that server stays. A database is dropped only if
 * it is named.
 */
export function externalData(stack: Stack, { content, settings }: Survey): StackData {
  const databases = [...new Set([...content.databases, ...settings.databases])];
  const admin = async (): Promise<Reached> => {
    const connection = content.isUp ? await outputsConnection(stack) : undefined;
    return connection === undefined ? externalLogin(stack, settings) : { connection };
  };
  const objects = async () => findExternalObjects(await admin(), databases);
  return {
    async look() {
      const found = await objects();
      const kept = listExternalObjects(found);
      return {
        running: undefined,
        hasData: false,
        place: "the external server",
        goes: [],
        stays: kept,
        summary: describeExternalObjects(found),
        firstStep: undefined,
        answer: { kept: kept.length === 0 ? null : kept.join("; ") },
        facts: [],
      };
    },
    async stop() {},
    admin,
    find: async () => ({
      found: [],
      places: [],
      begun: [],
      summary: describeExternalObjects(await objects()),
      facts: [],
      erase: async () => ({ foreign: [], linked: [] }),
    }),
  };
}
