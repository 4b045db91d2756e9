import { ConnectionError } from "../target/connection-error.ts";
import { configurationFile, parseConfiguration, readConfiguration } from "./configuration.ts";
import { directoryOf, type EmbeddedServerSpec, host, passwordsOf, wantedSettings } from "./embedded.ts";
import { readParameters } from "./parameters.ts";
import { findPostmaster, type Postmaster } from "./postmaster.ts";
import { changedLines, type SettingChange, settingChanges } from "./setting-changes.ts";
import { withSuperuser } from "./superuser-session.ts";

/** What making a server what a spec says does to it. */
export interface ServerChange {
  settings: SettingChange[];
  /** The process that runs on as it is; undefined: it is started, or started again. */
  keeps: Postmaster | undefined;
}

/**
 * What `ensureServer` would do to the process and the settings of a server, by what that server says itself. Changes nothing.
 *
 * @param spec with the port that the server is to have
 */
export async function planChange(spec: EmbeddedServerSpec & { port: number }): Promise<ServerChange> {
  const { data } = directoryOf(spec);
  const wanted = wantedSettings(spec, spec.port);
  const text = await readConfiguration(data);
  const running = await findPostmaster(data);
  // The first of them are no changes.
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
