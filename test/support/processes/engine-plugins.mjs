// Makes the engines that a command starts use plugins in the project's host, without a process for each of them.
import childProcess from "node:child_process";
import { once } from "node:events";
import { syncBuiltinESMExports } from "node:module";
import { connect } from "node:net";
import { basename, join } from "node:path";

/** Folder below `infra` of each plugin. */
const folders = new Map([
  ["pgroundwork", "provider"],
  ["docker", "fallback-providers/docker"],
  ["postgresql", "fallback-providers/postgresql"],
]);

/**
 * Connects to the host of plugins. From now on, engines that run in the same environment use its plugins.
 *
 * @param {string} socket
 */
export async function attachEngines(socket) {
  const host = connect(socket);
  // It ends with the test run.
  host.on("error", () => {});
  host.setEncoding("utf8").write(`${JSON.stringify({ attach: [...folders.values()] })}\n`);
  const [answer] = await once(host, "data");
  const ports = new Map([...folders.keys()].map((name, index) => [name, JSON.parse(answer)[index]]));
  host.unref();
  const { spawn } = childProcess;
  const spawnEngine = (/** @type {[string, any, any]} */ ...args) => {
    const [command, words, options] = args;
    const env = options?.env;
    if (basename(command) !== "pulumi" || env?.PGW_TEST_PLUGIN_HOST !== socket) return spawn(...args);
    // Official plugins are processes of the engine.
    const used = ["pgroundwork", ...(env.PGW_FALLBACK_PROVIDERS ?? "").split(",").filter(Boolean)];
    const attached = used.map((name) => `${name}:${ports.get(name)}`).join(",");
    // The engine starts plugins in the folder of the program. Paths of image contexts are relative to it.
    host.write(`${JSON.stringify({ cwd: join(options.cwd, "infra"), env })}\n`);
    return spawn(command, words, { ...options, env: { ...env, PULUMI_DEBUG_PROVIDERS: attached } });
  };
  childProcess.spawn = /** @type {any} */ (spawnEngine);
  syncBuiltinESMExports();
}
