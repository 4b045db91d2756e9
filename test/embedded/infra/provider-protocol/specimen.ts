import type { PluginFunction } from "../../../../infra/provider-protocol/function-type.ts";
import type { Plugin, PropertyChange, ResourceType } from "../../../../infra/provider-protocol/resource-type.ts";
import { serve } from "../../../../infra/provider-protocol/server.ts";
import { OperationError } from "../../../../scripts/core/operation-error.ts";

/*
 * A provider plugin with one resource type, which does what its inputs say. It tests the skeleton around resource
 * types.
 */

const specimen: ResourceType = {
  secretOutputs: ["token"],

  async check(_context, news, oldInputs) {
    const failures =
      news.password === "forbidden-password" ? [{ property: "password", reason: `not "${news.password}"` }] : [];
    return { inputs: { ...news, isNew: oldInputs === undefined }, failures };
  },

  diff: (_context, _old, news) => ({
    changes: (news.changes as PropertyChange[] | undefined) ?? [],
    deleteBeforeReplace: news.deleteBeforeReplace === true,
  }),

  async create(context, inputs, preview) {
    if (inputs.say !== undefined) await context.log("warning", String(inputs.say));
    if (inputs.doing !== undefined) await context.log("status", String(inputs.doing));
    if (inputs.refuse !== undefined)
      throw new OperationError(String(inputs.refuse), { hint: `Not with ${inputs.password}.` });
    if (inputs.crash !== undefined) throw new Error(String(inputs.crash));
    if (inputs.wait === true)
      await new Promise((_, reject) => context.signal.addEventListener("abort", () => reject(context.signal.reason)));
    if (inputs.hang === true) await new Promise(() => setInterval(() => undefined, 1_000));
    const { password } = inputs;
    const length = typeof password === "string" ? password.length : undefined;
    return { id: "one", outputs: { ...inputs, length, token: `made of ${context.config.key}`, preview } };
  },

  read: async (_context, current) => (current.inputs.gone === true ? undefined : current),

  update: async (_context, old, news, preview) => ({ ...news, was: old.inputs.name, preview }),

  async delete(context, old) {
    await context.log("info", `${old.id} deleted`);
  },
};

const echo: PluginFunction = {
  secretArguments: ["password"],

  async call(context, args) {
    if (args.refuse !== undefined)
      throw new OperationError(String(args.refuse), { hint: `Not with ${args.password}.` });
    return { ...args, key: context.config.key };
  },
};

const plugin: Plugin = {
  name: "specimen",
  version: "1.2.3",
  schema: async () => '{"name":"specimen"}',
  configuration: ["key", "port"],
  configurationDefaults: () => ({ port: "5432" }),
  types: { "specimen:index:Specimen": async () => specimen },
  functions: { "specimen:index:echo": async () => echo },
};

await serve(plugin, process.argv.slice(2));
