import type { ResourceType } from "../plugin/resource-type.ts";
import { unknownValue } from "../plugin/values.ts";

/** A TCP port of this machine that was free when it was chosen; kept from then on. */
export const port: ResourceType = {
  async check() {
    return { inputs: {} };
  },

  diff: () => ({ changes: [] }),

  async create(_context, _inputs, preview) {
    if (preview) return { id: "", outputs: { port: unknownValue } };
    const { default: getPort } = await import("get-port");
    const chosen = await getPort();
    return { id: String(chosen), outputs: { port: chosen } };
  },

  read: async (_context, current) => current,
  update: async (_context, old) => old.outputs,
  async delete() {},
};
