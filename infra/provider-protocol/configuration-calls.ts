import provider_pb from "@pulumi/pulumi/proto/provider_pb.js";
import type { Plugin } from "./resource-type.ts";
import { decode, encode } from "./values.ts";

/** Keys of the protocol itself, which no plugin lists. */
const ownKeys = ["version", "pluginDownloadURL"];

/**
 * Checks the provider's configuration and fills in defaults. A key that the plugin does not know is refused by name.
 */
export function checkConfiguration(plugin: Plugin, request: InstanceType<typeof provider_pb.CheckRequest>) {
  const { values, secretKeys } = decode(request.getNews());
  const known = plugin.configuration;
  const inputs = Object.entries({ ...plugin.configurationDefaults?.(), ...values });
  const unknown = known === undefined ? [] : Object.keys(values).filter((key) => !accepted(known, key));
  return new provider_pb.CheckResponse()
    .setInputs(
      encode(
        Object.fromEntries(known === undefined ? inputs.filter(([key]) => accepted([], key)) : inputs),
        secretKeys,
      ),
    )
    .setFailuresList(
      unknown.map((key) =>
        new provider_pb.CheckFailure()
          .setProperty(key)
          .setReason(`provider ${plugin.name} has no configuration "${key}"; it has ${known?.join(", ")}`),
      ),
    );
}

/** Returns the differences of two configurations. None of them replaces resources. */
export function diffConfiguration(plugin: Plugin, request: InstanceType<typeof provider_pb.DiffRequest>) {
  const olds = decode(request.getOldInputs() ?? request.getOlds()).values;
  const news = decode(request.getNews()).values;
  const keys = (plugin.configuration ?? []).filter((key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]));
  const { DIFF_SOME, DIFF_NONE } = provider_pb.DiffResponse.DiffChanges;
  return new provider_pb.DiffResponse().setChanges(keys.length > 0 ? DIFF_SOME : DIFF_NONE).setDiffsList(keys);
}

/** Returns true for keys that the plugin knows and for the protocol's own, which include those that begin with `__`. */
function accepted(known: readonly string[], key: string): boolean {
  return key.startsWith("__") || ownKeys.includes(key) || known.includes(key);
}
