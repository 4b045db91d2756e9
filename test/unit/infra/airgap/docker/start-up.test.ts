import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { cloneRoot } from "../../../../clone-root.ts";

it("check and diff load no Docker client, since every preview starts the plugin", async () => {
  const script = `
    import { createRequire } from "node:module";
    import { plugin } from "./infra/airgap/docker/plugin.ts";
    const config = { disableDockerDaemonCheck: "true" };
    const context = { urn: "urn:pulumi:s::p::t::n", config, signal: new AbortController().signal, log: async () => {} };
    let types = 0;
    for (const load of Object.values(plugin.types)) {
      const type = await load();
      const { inputs } = await type.check(context, { name: "n" }, undefined);
      await type.diff(context, { id: "n", inputs, outputs: inputs }, inputs);
      types += 1;
    }
    const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes("/node_modules/docker"));
    console.log(JSON.stringify({ types, loaded }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module-typescript", "-e", script], {
    cwd: cloneRoot,
  });
  expect(JSON.parse(stdout)).toEqual({ types: 4, loaded: [] });
});
