import { mask, namesSecret } from "../core/secret-names.ts";
import type { ServerSettings } from "./configuration.ts";
import { isSameValue, type Parameter, type ServerParameters, shownValue } from "./parameters.ts";

/** Effect of a changed line of the configuration file. */
export type SettingEffect =
  /** The server treats both values as the same. */
  | "same"
  /** The server reads another line of the name after the kit's (ALTER SYSTEM, or further down in postgresql.conf). */
  | "overridden"
  | "reload"
  | "restart"
  /** The server is stopped, and its next start applies the change. */
  | "start"
  /** The server could not be queried, and is restarted to be safe. */
  | "unknown";

/** One changed setting, with values as people write them. */
export interface SettingChange {
  name: string;
  /** undefined if there was no line before, and the server's value is unknown. */
  from: string | undefined;
  /** undefined for PostgreSQL's own default, if it is unknown. */
  to: string | undefined;
  effect: SettingEffect;
}

/** `source` of a setting whose value is from any configuration file. */
const fromFile = "configuration file";

/** Sources whose value applies to the session only and hides the server's value. */
const sessionSources = new Set(["database", "user", "database user", "client", "session", "interactive", "test"]);

/** Lists the settings whose line in the file changes, if no running server can report the effect. */
export function changedLines(
  former: ServerSettings,
  wanted: ServerSettings,
  effect: "start" | "unknown",
): SettingChange[] {
  return changedNames(former, wanted).map((name) =>
    hidden({ name, from: shown(former[name]), to: shown(wanted[name]), effect }),
  );
}

/** Lists the names whose text differs, in alphabetical order. */
export function changedNames(former: ServerSettings, wanted: ServerSettings): string[] {
  return [...new Set([...Object.keys(former), ...Object.keys(wanted)])]
    .filter((name) => former[name] !== wanted[name])
    .sort();
}

/**
 * Plans the effect of a changed configuration file on the running server. Follows `ProcessConfigFileInternal` of
 * PostgreSQL 17 (src/backend/utils/misc/guc.c). The last line of a name wins. If the line of a `postmaster` setting is
 * removed, a restart is pending, even if its value equals the default.
 *
 * @param fileName name of the kit's file among those that the server reads
 */
export function settingChanges(
  parameters: ServerParameters,
  fileName: string,
  former: ServerSettings,
  wanted: ServerSettings,
): SettingChange[] {
  const lines = linesAround(parameters, fileName);
  const candidates = new Set([...Object.keys(former), ...Object.keys(wanted)]);
  // A reload reads every file. It also applies changes made elsewhere since the last reload, and those that wait for a
  // restart.
  for (const { name } of parameters.entries) candidates.add(name);
  for (const { name, source, pendingRestart } of parameters.byName.values())
    if (pendingRestart || source === fromFile) candidates.add(name);
  return [...candidates].sort().flatMap((name) => {
    const parameter = parameters.byName.get(name);
    const isChanged = former[name] !== wanted[name];
    // A setting of a module that is not loaded. The server only keeps its text.
    if (parameter === undefined) {
      const change: SettingChange = { name, from: shown(former[name]), to: shown(wanted[name]), effect: "reload" };
      return isChanged ? [hidden(change)] : [];
    }
    const change = changeOf(parameter, { former, wanted, ...lines });
    const isQuiet = change.effect === "same" || change.effect === "overridden";
    return isQuiet && !isChanged ? [] : [hidden(change)];
  });
}

interface Lines {
  former: ServerSettings;
  wanted: ServerSettings;
  /** Lines of other files that the server reads before the kit's file, and after it. */
  before: ReadonlyMap<string, string>;
  after: ReadonlyMap<string, string>;
}

function changeOf(parameter: Parameter, { former, wanted, before, after }: Lines): SettingChange {
  const { name } = parameter;
  const formerText = after.get(name) ?? former[name] ?? before.get(name);
  const wantedText = after.get(name) ?? wanted[name] ?? before.get(name);
  const isHidden = sessionSources.has(parameter.source);
  const current = isHidden ? (formerText ?? parameter.boot ?? "") : parameter.setting;
  const change = (effect: SettingEffect): SettingChange => ({
    name,
    from: shownValue(parameter, current),
    to: wantedText === undefined ? shownValue(parameter, parameter.boot ?? "") : shown(wantedText),
    effect,
  });
  const hasIt = wantedText === formerText ? hasTaken : isSameValue;
  const isNeeded =
    wantedText === undefined ? isReverted(parameter, current, isHidden) : !hasIt(parameter, current, wantedText);
  if (isNeeded) return change(parameter.context === "postmaster" ? "restart" : "reload");
  const from = shown(former[name]) ?? shownValue(parameter, current);
  return { name, from, to: shown(wanted[name]), effect: after.has(name) ? "overridden" : "same" };
}

/**
 * Returns true if the server already has a line's value in its own spelling: `iso, mdy` becomes `ISO, MDY`, and -1
 * becomes a value that PostgreSQL computes.
 */
function hasTaken(parameter: Parameter, current: string, line: string): boolean {
  if (parameter.vartype === "integer" && line === "-1") return !parameter.pendingRestart;
  const words = (text: string) => text.toLowerCase().replaceAll(" ", "");
  return isSameValue(parameter, current, line) || (parameter.vartype === "string" && words(current) === words(line));
}

/** Returns true if a value must be reset because no line sets it any more. */
function isReverted(parameter: Parameter, current: string, isHidden: boolean): boolean {
  if (!isHidden && parameter.source !== fromFile) return false;
  return parameter.context === "postmaster" || !isSameValue(parameter, current, parameter.boot ?? "");
}

function linesAround({ entries }: ServerParameters, fileName: string) {
  const isOurs = (file: string) => file.endsWith(`/${fileName}`);
  const last = entries.findLastIndex(({ file }) => isOurs(file));
  const linesOf = (part: ServerParameters["entries"]) =>
    new Map(part.filter(({ file }) => !isOurs(file)).map(({ name, setting }) => [name, setting]));
  return { before: linesOf(entries.slice(0, last + 1)), after: linesOf(entries.slice(last + 1)) };
}

function shown(text: string | undefined): string | undefined {
  return text === "" ? "''" : text;
}

function hidden(change: SettingChange): SettingChange {
  return namesSecret(change.name) ? { ...change, from: mask, to: mask } : change;
}

/** Formats a change as one line: `work_mem 4MB -> 7MB (reload)`. */
export function describeSettingChange({ name, from, to, effect }: SettingChange): string {
  return `${name} ${from ?? "default"} -> ${to ?? "default"} (${words[effect]})`;
}

const words: Readonly<Record<SettingEffect, string>> = {
  same: "no effect: both values are equal for the server",
  overridden: "no effect: ALTER SYSTEM or a later line of postgresql.conf overrides it",
  reload: "reload",
  restart: "restart, closes connections",
  start: "applied when `up` starts the server",
  unknown: "restart, because the server could not be asked if one is needed",
};
