import { rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import type { restoreUsersOptions as restore } from "../../../infra/provider/users-options.ts";
import type { Plugin } from "../../../infra/provider-protocol/resource-type.ts";
import type { listen as listenFor } from "../../../infra/provider-protocol/server.ts";

/**
 * Serves the provider plugins of one project to the engine. Each call gets its own server, configuration and signal.
 * Starting a plugin as a separate process costs 0.4 s of CPU time, most of it before its work begins.
 *
 * Arguments: the project, and the socket that `launcher.mjs` connects to.
 */
const [project = "", socket = ""] = process.argv.slice(2);
const from = (file: string) => import(pathToFileURL(`${project}/infra/${file}`).href);

/** Message of `launcher.mjs`. */
interface Request {
  /** The plugin's folder below `infra`. */
  plugin: string;
  argv: string[];
  cwd: string;
  env: Record<string, string>;
}

async function answer(connection: Socket): Promise<void> {
  connection.on("error", () => connection.destroy());
  for await (const line of createInterface({ input: connection })) {
    const { plugin, argv, cwd, env } = JSON.parse(line) as Request;
    const { listen } = (await from("provider-protocol/server.ts")) as { listen: typeof listenFor };
    const { plugin: loaded } = (await from(`${plugin}/plugin.ts`)) as { plugin: Plugin };
    // The environments of commands on one project differ only in the run id.
    process.env = env;
    // All plugins of this process have one environment. Only the kit's own needs the user's options.
    const { restoreUsersOptions } = (await from("provider/users-options.ts")) as {
      restoreUsersOptions: typeof restore;
    };
    restoreUsersOptions();
    process.chdir(cwd);
    const { port, cancelled, close } = await listen(loaded, argv);
    connection.on("close", () => {
      cancelled.abort(new Error("The engine that started this plugin is gone."));
      close();
    });
    connection.write(`${port}\n`);
  }
}

// Work that the engine interrupted may fail later, without a handler. As a separate process, the plugin would have
// ended by then.
process.on("unhandledRejection", (reason) => process.stderr.write(`${String(reason)}\n`));

await rm(socket, { force: true });
createServer((connection) => void answer(connection).catch(() => connection.destroy())).listen(socket);
