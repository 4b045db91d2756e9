import { waitUntilReady } from "../../scripts/server/ready.ts";
import type { ResourceType } from "../plugin/resource-type.ts";
import { isUnknown, type Properties } from "../plugin/values.ts";
import { changedInputs } from "./changed-inputs.ts";
import { checkConnection, connectionOf } from "./connection-inputs.ts";

/**
 * The point from which on a server may be used: real SQL ran over TCP on the target database. Providers are configured from its `host`,
 * `port` and `password`, so that nothing connects too early. Waits again whenever an input changes; `trigger` is one for that (the server's pid). Other authorities to trust
 * are none: what the server shows is changed, and looked at, elsewhere.
 */
export const ready: ResourceType = {
  secretOutputs: ["password"],

  async check(_context, news) {
    return { inputs: news, failures: checkConnection(news) };
  },

  diff: (_context, old, news) => ({ changes: changedInputs(old.inputs, news, ["caCertificate"]) }),

  async create(context, inputs, preview) {
    return { id: `${inputs.host}:${inputs.port}`, outputs: preview ? inputs : await wait(inputs, context.signal) };
  },

  // Whether it is ready now is asked by the next run that needs it; a server that is down for a moment does not undo the answer.
  read: async (_context, current) => current,

  async update(context, old, news, preview) {
    if (!preview) return wait(news, context.signal);
    // The server has the old password until `up` makes the new one, and a provider that is configured with an unknown one shows all it made as changing.
    return isUnknown(news.password) ? { ...news, password: old.outputs.password } : news;
  },

  async delete() {},
};

async function wait(inputs: Properties, signal: AbortSignal): Promise<Properties> {
  const connection = connectionOf(inputs);
  if (connection === undefined) throw new Error("Ready was asked to wait for a server whose address is not known.");
  const { serverVersion } = await waitUntilReady(
    connection,
    Number(inputs.timeoutSeconds ?? 60),
    inputs.logDirectory as string | undefined,
    signal,
  );
  return { ...inputs, serverVersion };
}
