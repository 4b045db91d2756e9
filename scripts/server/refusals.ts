import { OperationError } from "../errors/operation-error.ts";
import type { ServerSettings } from "./configuration.ts";
import type { SettingFault } from "./setting-faults.ts";
import { mistakenPlace } from "./start-diagnosis.ts";

/** Asks PostgreSQL's program what it has against settings; undefined: nothing. */
export type Judge = (settings: ServerSettings) => Promise<string | undefined>;

/**
 * Refuses settings for all that is wrong with them; does nothing where nothing is.
 *
 * @param faults what is known by other means than the program's words
 * @param said the program's first words against all of them together
 * @throws OperationError with every fault
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
  const places = [
    ...(elsewhere.length < lines.length ? ["it in pgroundwork:postgresql (pulumi config)"] : []),
    ...elsewhere,
  ];
  throw new OperationError(refused(lines), {
    remedy: `Correct ${places.join(", and ")}. The server was left as it was.`,
  });
}

/** Everything that the program has against settings, one after the other: of values that it can read only by looking them up, it names the first. */
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

/** What the program said of a configuration file, without time stamps and pids, and with the line itself for a place in a file that is gone when this is read. */
export function complaint(stderr: string, file: string, text: string): string {
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
  // Of a file that a person wrote, where a line before it has said which one and why.
  return all.replaceAll(/\nconfiguration file ".*" contains errors$/gm, "");
}
