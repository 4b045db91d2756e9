import type { ServerSettings } from "../../scripts/server/configuration.ts";
import type { EmbeddedServerSpec, RunningServer } from "../../scripts/server/embedded.ts";
import { dataHome } from "../../scripts/server/locations.ts";
import { isUnknown, type Properties } from "../plugin/values.ts";

/** What the program declares of an `EmbeddedServer`. */
export interface ServerInputs {
  port?: number;
  dataDirectory?: string;
  superuserPassword: string;
  settings: ServerSettings;
}

/** What is known of a server that runs or ran: chosen once, then kept, wherever the clone moves. */
export interface ServerOutputs extends ServerInputs {
  host: string;
  port: number;
  folder: string;
  dataDirectory: string;
  logDirectory: string;
  version: string;
  /** 0: it does not run. */
  pid: number;
}

/** A server that was made before, and has its port. */
export type PlacedSpec = EmbeddedServerSpec & { port: number };

/** Below it servers have their folders. */
export function home(): string {
  return dataHome(process.env, process.getuid?.());
}

/** What a server shall be, from the program's inputs and what is kept of it. */
export function specOf(folder: string, inputs: ServerInputs, old: ServerOutputs): PlacedSpec;
export function specOf(folder: string, inputs: ServerInputs): EmbeddedServerSpec;
export function specOf(folder: string, inputs: ServerInputs, old?: ServerOutputs): EmbeddedServerSpec {
  // A preview of a rotation does not know the new password; the server has the old one until then.
  const isRotated = old !== undefined && isUnknown(inputs.superuserPassword);
  return {
    home: home(),
    folder,
    dataDirectory: inputs.dataDirectory ?? old?.dataDirectory,
    port: inputs.port ?? old?.port,
    superuserPassword: isRotated ? old.superuserPassword : inputs.superuserPassword,
    previousPassword: old?.superuserPassword,
    settings: inputs.settings,
  };
}

/** Whether all is known of which the configuration file is made: in a preview not always. */
export function isConfigured({ settings, port, dataDirectory }: PlacedSpec): boolean {
  return !isUnknown([settings, port, dataDirectory]);
}

/** A server as the engine keeps it. */
export function outputsOf(inputs: Properties, folder: string, server: RunningServer): Properties {
  return {
    ...inputs,
    host: server.host,
    port: server.port,
    folder,
    dataDirectory: server.directory.data,
    logDirectory: server.directory.log,
    version: server.version,
    pid: server.pid,
  };
}
