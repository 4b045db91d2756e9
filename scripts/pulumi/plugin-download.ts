import { execFile } from "node:child_process";
import { userHome, type Variables } from "./locations.ts";
import { downloadHost } from "./official-download.ts";
import { rememberFault } from "./plugin-download-memory.ts";
import type { ProviderPackage } from "./provider-packages.ts";
import { isOffline, throughProxies, whyUnreachable } from "./reachability.ts";
import { downloadPlatform } from "./versions.ts";

/** Time limit of `pulumi plugin install` in ms. */
const downloadLimitMs = 10 * 60_000;

export interface PluginDownload {
  root: string;
  env: Variables;
  /** Path of the engine, whose own installer is used. */
  engine: string;
}

/**
 * Downloads the plugin into the user's PULUMI_HOME. If that fails, returns the reason and remembers it. Without network
 * access it fails within seconds.
 */
export async function downloadPlugin(plugin: ProviderPackage, options: PluginDownload): Promise<string | undefined> {
  const { env } = options;
  // PGW_OFFLINE is the user's choice for this command, not a failure to remember.
  if (isOffline(env)) return "PGW_OFFLINE is set";
  const reason = (await throughProxies(env, () => whyNoArchive(plugin))) ?? (await installPlugin(plugin, options));
  if (reason !== undefined) rememberFault(plugin, reason, env);
  return reason;
}

/** Checks the two places where the engine looks for official plugins; one of them is enough. */
async function whyNoArchive({ name, version }: ProviderPackage): Promise<string | undefined> {
  const archive = `pulumi-resource-${name}-v${version}-${downloadPlatform("plugin")}.tar.gz`;
  const places = [
    `https://github.com/pulumi/pulumi-${name}/releases/download/v${version}/${archive}`,
    `${downloadHost}/releases/plugins/${archive}`,
  ];
  const reasons = await Promise.all(places.map((place) => whyUnreachable(place, (status) => status < 400)));
  return reasons.includes(undefined) ? undefined : reasons.join("; ");
}

function installPlugin(plugin: ProviderPackage, { root, env, engine }: PluginDownload): Promise<string | undefined> {
  const args = ["plugin", "install", "resource", plugin.name, plugin.version, "--non-interactive"];
  const variables = { ...env, PULUMI_HOME: userHome(root, env), PULUMI_SKIP_UPDATE_CHECK: "true" };
  return new Promise((done) => {
    execFile(engine, args, { cwd: root, env: variables, timeout: downloadLimitMs }, (error, _stdout, stderr) => {
      if (error === null) done(undefined);
      else if (error.killed) done(`not downloaded within ${downloadLimitMs / 60_000} min`);
      else done(stderr.trim().split("\n").at(-1) || error.message);
    });
  });
}
