import { OperationError } from "../core/operation-error.ts";
import type { ServerSettings } from "./configuration.ts";
import type { SettingFault } from "./setting-faults.ts";
import { mistakenPlace } from "./start-diagnosis.ts";

/** Returns the error of PostgreSQL's program about settings. Returns undefined if it accepts them. */
export type Judge = (settings: ServerSettings) => Promise<string | undefined>;

/**
 * Refuses settings and lists all of their problems. Does nothing if there are none.
 *
 * @param faults problems found by other means than the program
 * @param said the program's first error about all settings together
 * @throws OperationError with every problem
 */
export async function refuseSettings(
  settings: ServerSettings,
  faults: readonly SettingFault[],
  said: string | undefined,
  judge: Judge,
): Promise<void> {
  const lines = faults.map(({ name, reason }) => `${name} ${reason}`.trim());
  const names = new Set(faults.map(({ name }) => name));
  if (said !== undefined) lines.push(...(await allRefusals(without(settings, names), judge)));
  if (lines.length === 0) return;
  const elsewhere = lines.map(mistakenPlace).filter((place) => place !== undefined);
  const places = [...(elsewhere.length < lines.length ? ["pgroundwork:postgresql (pulumi config)"] : []), ...elsewhere];
  throw new OperationError(refused(lines), {
    hint: `Correct ${places.join(", and ")}. The server was not changed.`,
  });
}

/**
 * Collects all errors of the program about the settings, one after the other. It names only the first of those values
 * that it must look up to check.
 */
async function allRefusals(settings: ServerSettings, judge: Judge): Promise<string[]> {
  const said: string[] = [];
  for (let left = settings; ; ) {
    const words = await judge(left);
    if (words === undefined || said.includes(words)) return said;
    said.push(words);
    const names = [...words.matchAll(/parameter "([^"]+)"/g)].map(([, name = ""]) => name.toLowerCase());
    if (!names.some((name) => Object.hasOwn(left, name))) return said;
    left = without(left, new Set(names));
  }
}

function without(settings: ServerSettings, names: ReadonlySet<string>): ServerSettings {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !names.has(name)));
}

function refused(reasons: readonly string[]): string {
  const [first = ""] = reasons;
  return reasons.length === 1
    ? `PostgreSQL refuses a setting: ${first}`
    : ["PostgreSQL refuses these settings:", ...reasons.map((reason) => `- ${reason}`)].join("\n");
}

/**
 * Cleans up the program's error about a configuration file. Time stamps and pids are removed. Line numbers are replaced
 * by the line itself, because the file no longer exists when the error is read.
 */
export function settingsError(stderr: string, file: string, text: string): string {
  const lines = text.split("\n");
  const [before = "", ...places] = stderr
    .replaceAll(/^.*? (?:FATAL|LOG|HINT|DETAIL|CONTEXT): +/gm, "")
    .replaceAll(`configuration file "${file}" contains errors`, "")
    .split(` in file "${file}" line `);
  const all = places
    .reduce((said, place) => {
      const [number = ""] = /^\d+/.exec(place) ?? [];
      const named = /unrecognized configuration parameter ".*"$/.test(said);
      return `${said}${named ? "" : ` in the line: ${lines[Number(number) - 1]}`}${place.slice(number.length)}`;
    }, before)
    .trim();
  // An earlier line already names the setting and the cause in a file written by a person.
  return all.replaceAll(/\nconfiguration file ".*" contains errors$/gm, "");
}
