import { ConnectionError } from "../connection/connection-error.ts";
import { configurationFile, parseConfiguration, readConfiguration } from "./configuration.ts";
import { directoryOf, type EmbeddedServerSpec, host, passwordsOf, wantedSettings } from "./embedded.ts";
import { readParameters } from "./parameters.ts";
import { findPostmaster, type Postmaster } from "./postmaster.ts";
import { changedLines, type SettingChange, settingChanges } from "./setting-changes.ts";
import { withSuperuser } from "./superuser-session.ts";

/** Changes that bring a server into its desired state. */
export interface ServerChange {
  settings: SettingChange[];
  /** Process that keeps running. undefined if the server is started or restarted. */
  keeps: Postmaster | undefined;
}

/**
 * Plans the changes that `ensureServer` would make to the process and its settings, as the server itself reports them.
 * Changes nothing.
 *
 * @param spec with the port that the server will have
 */
export async function planChange(spec: EmbeddedServerSpec & { port: number }): Promise<ServerChange> {
  const { data } = directoryOf(spec);
  const wanted = wantedSettings(spec, spec.port);
  const text = await readConfiguration(data);
  const running = await findPostmaster(data);
  // A server's first settings do not count as changes.
  if (text === undefined) return { settings: [], keeps: undefined };
  const former = parseConfiguration(text);
  if (running === undefined) return { settings: changedLines(former, wanted, "start"), keeps: undefined };
  try {
    const parameters = await withSuperuser({ host, port: running.port }, passwordsOf(spec), readParameters);
    const settings = settingChanges(parameters, configurationFile, former, wanted);
    const restarts = settings.some(({ effect }) => effect === "restart");
    return { settings, keeps: restarts ? undefined : running };
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return { settings: changedLines(former, wanted, "unknown"), keeps: undefined };
  }
}
