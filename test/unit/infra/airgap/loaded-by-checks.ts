import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Properties } from "../../../../infra/plugin/values.ts";
import { cloneRoot } from "../../../clone-root.ts";

/** What a plugin was asked for, and what it loaded for that. */
export interface LoadedByChecks {
  /** How many types of resources it has. */
  types: number;
  /** Files of the packages asked for. */
  loaded: string[];
}

/**
 * Has a plugin check and compare one resource of each of its types, in a process of its own.
 *
 * @param name as in `infra/airgap/<name>`
 * @param packages how their paths go on after node_modules/
 */
export async function loadedByChecks(name: string, packages: string, config: Properties = {}): Promise<LoadedByChecks> {
  const script = `
    import { createRequire } from "node:module";
    import { plugin } from "./infra/airgap/${name}/plugin.ts";
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
