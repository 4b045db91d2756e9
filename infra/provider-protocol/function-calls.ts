import provider_pb from "@pulumi/pulumi/proto/provider_pb.js";
import { status } from "../../scripts/pulumi/shared-packages.ts";
import type { FunctionContext, PluginFunction } from "./function-type.ts";
import type { Plugin } from "./resource-type.ts";
import { decode, encode } from "./values.ts";

type InvokeRequest = InstanceType<typeof provider_pb.InvokeRequest>;

/**
 * Handles the engine's call of a function and converts values from and to the wire format.
 *
 * @param secrets receives the secrets of the call, so that no message contains one
 */
export async function invokeFunction(
  plugin: Plugin,
  context: FunctionContext,
  secrets: Set<string>,
  request: InvokeRequest,
) {
  const called = await load(plugin, request.getTok());
  const args = decode(request.getArgs());
  for (const secret of args.secrets) secrets.add(secret);
  for (const key of called.secretArguments ?? []) {
    const value = args.values[key];
    if (typeof value === "string" && value !== "") secrets.add(value);
  }
  return new provider_pb.InvokeResponse().setReturn(encode(await called.call(context, args.values)));
}

function load(plugin: Plugin, token: string): Promise<PluginFunction> {
  const loader = plugin.functions?.[token];
  if (loader !== undefined) return loader();
  const known = Object.keys(plugin.functions ?? {}).join(", ") || "none";
  const message = `provider ${plugin.name} has no function ${token}; it has ${known}`;
  throw Object.assign(new Error(message), { grpcStatus: status.UNIMPLEMENTED });
}
