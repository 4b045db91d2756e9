import type { ServerSettings } from "../../../../scripts/server/configuration.ts";
import type { EmbeddedServerSpec, RunningServer } from "../../../../scripts/server/embedded.ts";
import { dataHome } from "../../../../scripts/server/locations.ts";
import { isUnknown, type Properties } from "../../../provider-protocol/values.ts";

/** Inputs of an `EmbeddedServer` in the program. */
export interface ServerInputs {
  port?: number;
  dataDirectory?: string;
  superuserPassword: string;
  settings: ServerSettings;
  /** Name of the server, if the stack can have several. */
  server?: string | undefined;
}

/** Properties of a server that runs or ran. They are chosen once and kept, even if the project directory moves. */
export interface ServerOutputs extends ServerInputs {
  host: string;
  port: number;
  folder: string;
  dataDirectory: string;
  logDirectory: string;
  version: string;
  /** 0 if it does not run. */
  pid: number;
}

/** A server that was created before and has its port. */
export type PlacedSpec = EmbeddedServerSpec & { port: number };

/** Returns the parent of all server folders. */
export function home(): string {
  return dataHome(process.env, process.getuid?.());
}

/** Returns the specification of a server, from the program's inputs and its kept properties. */
export function specOf(folder: string, inputs: ServerInputs, old: ServerOutputs): PlacedSpec;
export function specOf(folder: string, inputs: ServerInputs): EmbeddedServerSpec;
export function specOf(folder: string, inputs: ServerInputs, old?: ServerOutputs): EmbeddedServerSpec {
  // A preview of a rotation does not know the new password. Until `up`, the server has the old one.
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

/** Returns true if everything in the configuration file is known. In a preview it may not be. */
export function isConfigured({ settings, port, dataDirectory }: PlacedSpec): boolean {
  return !isUnknown([settings, port, dataDirectory]);
}

/** Returns a server's outputs, as the engine stores them. */
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
