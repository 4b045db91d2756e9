import type { ServerSettings } from "./configuration.ts";
import { isSameValue, type Parameter, type ServerParameters, shownValue } from "./parameters.ts";

/** What a changed line of the configuration file does to the server. */
export type SettingEffect =
  /** The server takes both for the same. */
  | "same"
  /** The server reads another line of the name after the kit's (ALTER SYSTEM, or below it in postgresql.conf). */
  | "overridden"
  | "reload"
  | "restart"
  /** The server is stopped: whatever it is, the start brings it. */
  | "start"
  /** The server could not be asked, and is restarted to be sure. */
  | "unknown";

/** One setting that changes, values as people write them. */
export interface SettingChange {
  name: string;
  /** undefined: it has no line until now, and the server cannot be asked what it has instead. */
  from: string | undefined;
  /** undefined: PostgreSQL's own default, which is not known either. */
  to: string | undefined;
  effect: SettingEffect;
}

/** Values of these are never shown. */
const secretName = /password|passphrase|secret|token|conninfo/i;

/** `source` of a setting whose value is from any configuration file. */
const fromFile = "configuration file";

/** A value that the session has for itself hides what the server has. */
const sessionSources = new Set(["database", "user", "database user", "client", "session", "interactive", "test"]);

/** The settings whose line in the file changes, where no running server can be asked what that does. */
export function changedLines(
  former: ServerSettings,
  wanted: ServerSettings,
  effect: "start" | "unknown",
): SettingChange[] {
  return changedNames(former, wanted).map((name) =>
    hidden({ name, from: shown(former[name]), to: shown(wanted[name]), effect }),
  );
}

/** The names whose text differs, in order. */
export function changedNames(former: ServerSettings, wanted: ServerSettings): string[] {
  return [...new Set([...Object.keys(former), ...Object.keys(wanted)])]
    .filter((name) => former[name] !== wanted[name])
    .sort();
}

/**
 * What the running server does when the kit's configuration file changes. Follows `ProcessConfigFileInternal` of PostgreSQL 17
 * (src/backend/utils/misc/guc.c): the last line of a name holds; a setting of context `postmaster` whose line is gone waits for a restart whatever its default is.
 *
 * @param fileName the kit's own file among those that the server reads
 */
export function settingChanges(
  parameters: ServerParameters,
  fileName: string,
  former: ServerSettings,
  wanted: ServerSettings,
): SettingChange[] {
  const lines = linesAround(parameters, fileName);
  const candidates = new Set([...Object.keys(former), ...Object.keys(wanted)]);
  // A reload reads every file: what was changed elsewhere since the last one, or waits for a start, comes with it.
  for (const { name } of parameters.entries) candidates.add(name);
  for (const { name, source, pendingRestart } of parameters.byName.values())
    if (pendingRestart || source === fromFile) candidates.add(name);
  return [...candidates].sort().flatMap((name) => {
    const parameter = parameters.byName.get(name);
    const isChanged = former[name] !== wanted[name];
    // A setting of a module that is not loaded: the server keeps its text only.
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
  /** Other files' lines that the server reads before the kit's, and after them. */
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
    wantedText === undefined ? isUndone(parameter, current, isHidden) : !hasIt(parameter, current, wantedText);
  if (isNeeded) return change(parameter.context === "postmaster" ? "restart" : "reload");
  const from = shown(former[name]) ?? shownValue(parameter, current);
  return { name, from, to: shown(wanted[name]), effect: after.has(name) ? "overridden" : "same" };
}

/**
 * Whether the server has a line's value already, in words of its own: `iso, mdy` becomes `ISO, MDY`, and -1 what PostgreSQL works out.
 */
function hasTaken(parameter: Parameter, current: string, line: string): boolean {
  if (parameter.vartype === "integer" && line === "-1") return !parameter.pendingRestart;
  const words = (text: string) => text.toLowerCase().replaceAll(" ", "");
  return isSameValue(parameter, current, line) || (parameter.vartype === "string" && words(current) === words(line));
}

/** Whether a value has to go that no line asks for any more. */
function isUndone(parameter: Parameter, current: string, isHidden: boolean): boolean {
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
  return secretName.test(change.name) ? { ...change, from: "[secret]", to: "[secret]" } : change;
}

/** A change as one line: `work_mem 4MB -> 7MB (reload)`. */
export function describeSettingChange({ name, from, to, effect }: SettingChange): string {
  return `${name} ${from ?? "default"} -> ${to ?? "default"} (${words[effect]})`;
}

const words: Readonly<Record<SettingEffect, string>> = {
  same: "no effect: the server takes both for the same",
  overridden: "no effect: ALTER SYSTEM, or a later line of postgresql.conf, sets it",
  reload: "reload",
  restart: "restart, connections are cut",
  start: "with the start that `up` makes anyway",
  unknown: "restart, since the server could not be asked whether it needs one",
};
