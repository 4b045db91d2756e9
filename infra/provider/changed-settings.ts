import { parseConfiguration, readConfiguration, type ServerSettings } from "../../scripts/server/configuration.ts";
import { configurationText, wantedSettings } from "../../scripts/server/embedded.ts";
import { changedNames } from "../../scripts/server/setting-changes.ts";
import type { PropertyChange } from "../plugin/resource-type.ts";
import { isUnknown, type Properties } from "../plugin/values.ts";
import { changedInputs } from "./changed-inputs.ts";
import type { PlacedSpec } from "./server-properties.ts";

/** Input of `EmbeddedServer` that holds postgresql.conf settings by name. */
const settingsKey = "settings";

/** What the program changed of a server, every setting by its name. */
export function declaredChanges(old: Properties, news: Properties): PropertyChange[] {
  if (isUnknown(news[settingsKey])) return changedInputs(old, news);
  const settingsOf = (inputs: Properties) => (inputs[settingsKey] ?? {}) as Properties;
  const settings = changedInputs(settingsOf(old), settingsOf(news));
  return [
    ...changedInputs(old, news, [settingsKey]),
    ...settings.map((change) => ({ ...change, path: settingPath(change.path) })),
  ];
}

/**
 * The settings that are otherwise on disk than they should be without the program having changed them: edited there, or of an older version of the kit.
 *
 * @param dataDirectory where the file is now
 */
export async function driftedSettings(
  dataDirectory: string,
  wanted: PlacedSpec,
  declared: readonly PropertyChange[],
): Promise<PropertyChange[]> {
  const text = await readConfiguration(dataDirectory);
  if (text === configurationText(wanted, wanted.port)) return [];
  const paths = driftedPaths(parseConfiguration(text ?? ""), wantedSettings(wanted, wanted.port));
  return paths
    .filter((path) => !declared.some((change) => change.path === path))
    .map((path) => ({ path, kind: "update", input: false }));
}

function driftedPaths(onDisk: ServerSettings, wanted: ServerSettings): string[] {
  const names = changedNames(onDisk, wanted);
  // Only comments or the order differ: the file is written anew all the same.
  if (names.length === 0) return [settingsKey];
  // The port is an input of its own.
  return names.map((name) => (name === "port" ? name : settingPath(name)));
}

/** As the engine writes a place inside a property: names of modules' settings hold a dot. */
function settingPath(name: string): string {
  return name.includes(".") ? `${settingsKey}[${JSON.stringify(name)}]` : `${settingsKey}.${name}`;
}
