import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Properties } from "../../../../infra/provider-protocol/values.ts";
import { cloneRoot } from "../../../clone-root.ts";

/** Result of the checks: the number of types, and the loaded files. */
export interface LoadedByChecks {
  /** Number of the plugin's resource types. */
  types: number;
  /** Loaded files of the given packages. */
  loaded: string[];
}

/**
 * Makes a plugin check and diff one resource of each type, in a separate process.
 *
 * @param name folder name, as in `infra/fallback-providers/<name>`
 * @param packages beginning of their paths below node_modules/
 */
export async function loadedByChecks(name: string, packages: string, config: Properties = {}): Promise<LoadedByChecks> {
  const script = `
    import { createRequire } from "node:module";
    import { plugin } from "./infra/fallback-providers/${name}/plugin.ts";
    const config = ${JSON.stringify(config)};
    const context = { urn: "urn:pulumi:s::p::t::n", config, signal: new AbortController().signal, log: async () => {} };
    let types = 0;
    for (const load of Object.values(plugin.types)) {
      const type = await load();
      const { inputs } = await type.check(context, { name: "n" }, undefined);
      await type.diff(context, { id: "n", inputs, outputs: inputs }, inputs);
      types += 1;
    }
    const files = Object.keys(createRequire(import.meta.url).cache);
    const loaded = files.filter((path) => path.includes("/node_modules/${packages}"));
    console.log(JSON.stringify({ types, loaded }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module-typescript", "-e", script], {
    cwd: cloneRoot,
  });
  return JSON.parse(stdout) as LoadedByChecks;
}
