import {
  parseConfiguration,
  readConfiguration,
  type ServerSettings,
} from "../../../../scripts/server/configuration.ts";
import { configurationText, wantedSettings } from "../../../../scripts/server/embedded.ts";
import { changedNames } from "../../../../scripts/server/setting-changes.ts";
import type { PropertyChange } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties } from "../../../provider-protocol/values.ts";
import { changedInputs } from "../../inputs/changed-inputs.ts";
import type { PlacedSpec } from "./server-properties.ts";

/** Input of `EmbeddedServer` with postgresql.conf settings by name. */
const settingsKey = "settings";

/** Inputs that are kept from the first `up`. */
const keptKeys = ["server"];

/** Returns the changes that the program made to a server, with one entry for each setting. */
export function declaredChanges(old: Properties, news: Properties): PropertyChange[] {
  if (isUnknown(news[settingsKey])) return changedInputs(old, news, keptKeys);
  const settingsOf = (inputs: Properties) => (inputs[settingsKey] ?? {}) as Properties;
  const settings = changedInputs(settingsOf(old), settingsOf(news));
  return [
    ...changedInputs(old, news, [settingsKey, ...keptKeys]),
    ...settings.map((change) => ({ ...change, path: settingPath(change.path) })),
  ];
}

/**
 * Returns the settings that differ on disk without a change in the program: edited by hand, or written by an older
 * version of the kit.
 *
 * @param dataDirectory the current location of the file
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
  // If only comments or the order differ, the file is still written again.
  if (names.length === 0) return [settingsKey];
  // The port is an input of its own.
  return names.map((name) => (name === "port" ? name : settingPath(name)));
}

/** Returns a setting's path as the engine writes it. Names of modules' settings contain a dot. */
function settingPath(name: string): string {
  return name.includes(".") ? `${settingsKey}[${JSON.stringify(name)}]` : `${settingsKey}.${name}`;
}
