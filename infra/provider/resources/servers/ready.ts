import { waitUntilReady } from "../../../../scripts/server/ready.ts";
import type { ResourceType } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties } from "../../../provider-protocol/values.ts";
import { changedInputs } from "../../inputs/changed-inputs.ts";
import { checkConnection, connectionOf } from "../../inputs/connection-inputs.ts";

/**
 * The point from which a server can be used: real SQL has run over TCP on the target database. Providers are configured
 * from its `host`, `port` and `password`, so that nothing connects too early. It waits again if an input changes.
 * `trigger` (the server's pid) exists only for this. Other CA certificates cause no wait: the server's certificate is
 * changed and checked elsewhere.
 */
export const ready: ResourceType = {
  async check(_context, news) {
    return { inputs: news, failures: checkConnection(news) };
  },

  diff: (_context, old, news) => ({ changes: changedInputs(old.inputs, news, ["caCertificate"]) }),

  async create(context, inputs, preview) {
    return { id: `${inputs.host}:${inputs.port}`, outputs: preview ? inputs : await wait(inputs, context.signal) };
  },

  // The next run that needs the server checks it. If the server is down for a moment, the earlier answer stays valid.
  read: async (_context, current) => current,

  async update(context, old, news, preview) {
    if (!preview) return wait(news, context.signal);
    // The server has the old password until `up` sets the new one. A provider configured with an unknown password would
    // show all its resources as changing.
    return isUnknown(news.password) ? { ...news, password: old.outputs.password } : news;
  },

  async delete() {},
};

async function wait(inputs: Properties, signal: AbortSignal): Promise<Properties> {
  const connection = connectionOf(inputs);
  if (connection === undefined) throw new Error("Ready cannot wait: the address of the server is not known.");
  const { serverVersion } = await waitUntilReady(
    connection,
    Number(inputs.timeoutSeconds ?? 60),
    inputs.logDirectory as string | undefined,
    signal,
  );
  return { ...inputs, serverVersion };
}
