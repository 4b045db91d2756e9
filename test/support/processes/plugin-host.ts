import { rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import type { restoreUsersOptions as restore } from "../../../infra/provider/users-options.ts";
import type { Plugin } from "../../../infra/provider-protocol/resource-type.ts";
import type { listen as listenFor } from "../../../infra/provider-protocol/server.ts";
import { Server } from "../../../scripts/pulumi/shared-packages.ts";

/**
 * Serves the provider plugins of one project to the engine. Each call gets its own server, configuration and signal.
 * Starting a plugin as a separate process costs 0.4 s of CPU time, most of it before its work begins.
 *
 * Arguments: the project, and the socket that `launcher.mjs` and `engine-plugins.mjs` connect to.
 */
const [project = "", socket = ""] = process.argv.slice(2);
const from = (file: string) => import(pathToFileURL(`${project}/infra/${file}`).href);

/** Message of `launcher.mjs`, whose process the engine has started as a plugin. */
interface PluginRequest extends Place {
  /** The plugin's folder below `infra`. */
  plugin: string;
  argv: string[];
}

/** First message of `engine-plugins.mjs`, which is answered with a port for each plugin. */
interface AttachRequest {
  /** Folders below `infra`. */
  attach: string[];
}

/** Folder and variables of the engine. */
interface Place {
  cwd: string;
  env: Record<string, string>;
}

/** The connection that the next plugin serves, instead of those to a port of its own. */
let served: Socket | undefined;

// The project links the same packages, so this is also the class of its plugins.
const { bindAsync } = Server.prototype;
Server.prototype.bindAsync = function (address, credentials, done) {
  if (served === undefined) return bindAsync.call(this, address, credentials, done);
  this.createConnectionInjector(credentials).injectConnection(served);
  served = undefined;
  done(null, 0);
};

/**
 * Starts a plugin for one connection, and ends its work with the connection.
 *
 * @param servesIt true if the connection is the engine's; false if the engine will connect to the plugin's port
 * @returns the port
 */
async function startFor(
  connection: Socket,
  plugin: string,
  argv: readonly string[],
  servesIt = false,
): Promise<number> {
  const { listen } = (await from("provider-protocol/server.ts")) as { listen: typeof listenFor };
  const { plugin: loaded } = (await from(`${plugin}/plugin.ts`)) as { plugin: Plugin };
  // Until it awaits the port, `listen` has no interruption in which another plugin could start.
  if (servesIt) served = connection;
  const { port, cancelled, close } = await listen(loaded, argv);
  const end = () => {
    cancelled.abort(new Error("The engine that started this plugin is gone."));
    close();
  };
  if (connection.destroyed) end();
  else connection.on("close", end);
  return port;
}

async function enter({ cwd, env }: Place): Promise<void> {
  // The environments of commands on one project differ only in the run id.
  process.env = env;
  process.chdir(cwd);
  // All plugins of this process have one environment. Only the kit's own needs the user's options.
  const { restoreUsersOptions } = (await from("provider/users-options.ts")) as { restoreUsersOptions: typeof restore };
  restoreUsersOptions();
}

/** Returns a port on which each connection, one for each provider of the engine, gets a plugin of its own. */
async function openPort(plugin: string): Promise<number> {
  const server = createServer((connection) => {
    connection.on("error", () => connection.destroy());
    startFor(connection, plugin, [], true).catch((error) => {
      process.stderr.write(`${String(error)}\n`);
      connection.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function answer(connection: Socket): Promise<void> {
  connection.on("error", () => connection.destroy());
  for await (const line of createInterface({ input: connection })) {
    const request = JSON.parse(line) as PluginRequest | AttachRequest | Place;
    if ("attach" in request) {
      connection.write(`${JSON.stringify(await Promise.all(request.attach.map(openPort)))}\n`);
      continue;
    }
    await enter(request);
    if ("plugin" in request) connection.write(`${await startFor(connection, request.plugin, request.argv)}\n`);
  }
}

// Work that the engine interrupted may fail later, without a handler. As a separate process, the plugin would have
// ended by then.
process.on("unhandledRejection", (reason) => process.stderr.write(`${String(reason)}\n`));

await rm(socket, { force: true });
createServer((connection) => void answer(connection).catch(() => connection.destroy())).listen(socket);
