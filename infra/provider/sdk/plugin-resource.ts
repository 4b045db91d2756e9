import { homedir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { isInstalled } from "../../../scripts/core/kit-folder.ts";
import { installOwnPlugin, packageVersion } from "../../../scripts/pulumi/own-plugin.ts";
import {
  formerTokensOf,
  type ResourceName,
  resourceDefinitions,
  secretsOf,
  tokenOf,
} from "../definitions/definitions.ts";

/** A resource of the kit's own provider plugin. Its outputs and secrets are those of its definition. */
export abstract class PluginResource extends pulumi.CustomResource {
  constructor(type: ResourceName, name: string, args: object, options?: pulumi.CustomResourceOptions) {
    const { inputs, outputs } = resourceDefinitions[type];
    const properties = Object.fromEntries(Object.keys(outputs).map((key) => [key, undefined]));
    const secrets = [...(options?.additionalSecretOutputs ?? []), ...secretsOf({ ...inputs, ...outputs })];
    const aliases = [...(options?.aliases ?? []), ...formerTokensOf(type).map((former) => ({ type: former }))];
    super(
      tokenOf(type),
      name,
      { ...properties, ...args },
      withPlugin({ ...options, aliases, additionalSecretOutputs: secrets }),
    );
  }
}

let version: string | undefined;

/**
 * Adds the version of the plugin to the options of a resource or a call, and makes the plugin known to the engine. In a
 * checkout, Pulumi.yaml names the plugin's folder, and no version is needed.
 */
export function withPlugin<Options extends { version?: string }>(options: Options | undefined): Options | undefined {
  if (!isInstalled) return options;
  version ??= register();
  return { version, ...options } as Options;
}

function register(): string {
  // The language host has the engine's environment. With mocks there is no engine that would start a plugin.
  if (pulumi.runtime.hasEngine()) installOwnPlugin(process.env.PULUMI_HOME || join(homedir(), ".pulumi"));
  return packageVersion();
}
