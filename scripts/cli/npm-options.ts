import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command, Option } from "commander";
import { unlessAbsentSync } from "../core/absent.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { lineToType } from "./typed-line.ts";

/** Options that npm expands to the name of one of its own settings. */
const completedByNpm: Readonly<Record<string, string>> = { to: "token_description" };

/** Short options that npm has, too, with the setting and value that they stand for. */
const shortInNpm: Readonly<Record<string, [setting: string, value: string]>> = {
  d: ["loglevel", "info"],
  f: ["force", "true"],
  s: ["loglevel", "silent"],
  y: ["yes", "true"],
};

/** An option that npm consumed. */
interface KeptOption {
  option: Option;
  /** npm's name for the option, as in `npm_config_<name>`. */
  setting: string;
  /** Undefined if npm left the value among the arguments, or if the option needs none. */
  values: string[] | undefined;
}

/**
 * Refuses to run if options were typed before `--` and consumed by npm: `npm run up --stack=dev` would otherwise run on
 * the local stack. npm passes such options on only in the environment, mixed with its own settings. Settings from
 * .npmrc files and from NPM_CONFIG_* are ignored.
 *
 * @throws OperationError (wrong usage) with the command to type
 */
export function refuseOptionsKeptByNpm(
  program: Command,
  typed: readonly string[],
  root: string,
  env: NodeJS.ProcessEnv = process.env,
): void {
  if (env.npm_lifecycle_event === undefined || !/\bpgw\b/.test(env.npm_lifecycle_script ?? "")) return;
  const { command, rest } = commandIn(program, typed);
  const isVariadic = command.registeredArguments.some(({ variadic }) => variadic);
  const surplus = isVariadic ? 0 : Math.max(0, rest.length - command.registeredArguments.length);
  const end = typed.indexOf("--");
  const given = end < 0 ? typed : typed.slice(0, end);
  const kept = command.options.flatMap((option) => {
    if (isGiven(option, given)) return [];
    return keptByNpm(option, root, env, surplus > 0 || (isVariadic && rest.length > 0)) ?? [];
  });
  if (kept.length === 0) return;
  throw refusal(kept, typed, rest.slice(rest.length - (surplus || rest.length)), env);
}

/** Finds the command that was typed, and the words after its name that are not options. */
function commandIn(program: Command, typed: readonly string[]): { command: Command; rest: string[] } {
  let command = program;
  const rest: string[] = [];
  for (let index = 0; index < typed.length && typed[index] !== "--"; index += 1) {
    const word = typed[index] ?? "";
    if (word.startsWith("-")) {
      const name = word.replace(/=.*/, "");
      const known = [...command.options, ...program.options];
      const option = known.find(
        ({ short, long }) => short === name || long === name || (short && /^-\w/.test(name) && name.startsWith(short)),
      );
      // An unknown option is reported by the command. The words after it may be its values.
      if (option === undefined) break;
      if (option.required && name === word && (option.long === word || option.short === word)) index += 1;
      continue;
    }
    const sub =
      rest.length > 0 ? undefined : command.commands.find((each) => [each.name(), ...each.aliases()].includes(word));
    if (sub === undefined) rest.push(word);
    else command = sub;
  }
  return { command, rest };
}

function isGiven({ long, short }: Option, typed: readonly string[]): boolean {
  return typed.some(
    (word) =>
      word === long ||
      word.startsWith(`${long}=`) ||
      (short !== undefined && /^-\w/.test(word) && word.startsWith(short)),
  );
}

function keptByNpm(option: Option, root: string, env: NodeJS.ProcessEnv, isValueLeft: boolean): KeptOption | undefined {
  const name = (option.long ?? "").replace(/^--(no-)?/, "");
  const short = option.short?.slice(1);
  const takesValue = option.required || option.optional;
  for (const setting of [name.replaceAll("-", "_"), completedByNpm[name], short]) {
    const value = setting === undefined ? undefined : ofCommandLine(setting, root, env);
    if (setting === undefined || value === undefined) continue;
    // A switch that is off, unless it is one that `--no-…` turns off.
    if (value === "" ? !option.negate : option.negate) continue;
    const isValue = takesValue && value !== "true";
    return { option, setting, values: isValue ? value.split("\n\n") : undefined };
  }
  if (short === undefined) return undefined;
  const [setting = "", meaning = ""] = shortInNpm[short] ?? [];
  if (setting === "" || ofCommandLine(setting, root, env) !== meaning) return undefined;
  // `npm -s` and `npm -d` are also typed for npm itself. A value left among the arguments shows that pgw's option was
  // meant.
  if (takesValue && !isValueLeft) return undefined;
  return { option, setting, values: undefined };
}

/** Returns the value that npm got from the command line. Undefined if it comes from elsewhere or is not set. */
function ofCommandLine(setting: string, root: string, env: NodeJS.ProcessEnv): string | undefined {
  const value = env[`npm_config_${setting}`];
  if (value === undefined) return undefined;
  const exported = Object.keys(env).some(
    (name) => name !== name.toLowerCase() && name.toLowerCase() === `npm_config_${setting}`,
  );
  if (exported) return undefined;
  const files = [join(root, ".npmrc"), env.npm_config_userconfig, env.npm_config_globalconfig];
  return files.some((file) => file !== undefined && settingIn(file, setting) === value) ? undefined : value;
}

function settingIn(file: string, setting: string): string | undefined {
  const text = unlessAbsentSync(() => readFileSync(file, "utf8")) ?? "";
  for (const line of text.split("\n")) {
    const [, name = "", value = "true"] = /^\s*([\w-]+)\s*(?:=\s*(.*?)\s*)?$/.exec(line) ?? [];
    if (name.replaceAll("-", "_") === setting) return value === "false" ? "" : value.replace(/^"(.*)"$/, "$1");
  }
  return undefined;
}

function refusal(all: readonly KeptOption[], typed: readonly string[], left: string[], env: NodeJS.ProcessEnv) {
  const kept = withoutNpmsOwn(all, left.length);
  // npm does not tell which value belongs to which option: a stack's name could become that of what is erased.
  const isAmbiguous = kept.filter(lacksValue).length > 1;
  const used: string[] = isAmbiguous ? [...left] : [];
  const options = kept.flatMap((each) => {
    const { option, values } = each;
    const long = option.long ?? "";
    if (values !== undefined) return values.flatMap((value) => [long, value]);
    if (!lacksValue(each)) return [long];
    const value = isAmbiguous ? undefined : left.shift();
    if (value === undefined) return option.required || isAmbiguous ? [long, placeholder] : [long];
    used.push(value);
    return [long, value];
  });
  const names = kept.map(({ option }) => option.long).join(", ");
  const rest = typed.filter((word) => !used.includes(word));
  return new OperationError(`npm read ${names} itself, and nothing was run. Write options after \`--\`:`, {
    hint: [
      `  ${lineToType(options, { env, typed: rest }).replaceAll(`'${placeholder}'`, "VALUE")}`,
      `If another program set ${kept.map(({ setting }) => `npm_config_${setting}`).join(", ")} for npm, unset it.`,
    ].join("\n  "),
    exitCode: exitCode.usage,
  });
}

/** Stands for a value in a line to type. */
const placeholder = "<value>";

function lacksValue({ option, values }: KeptOption): boolean {
  return values === undefined && (option.required || option.optional);
}

/** Leaves out `-s` and `-d` if other options need all values that are left: they were typed for npm itself. */
function withoutNpmsOwn(kept: readonly KeptOption[], values: number): readonly KeptOption[] {
  const others = kept.filter(({ setting }) => setting !== "loglevel");
  return kept.filter(lacksValue).length > values && others.length > 0 ? others : kept;
}
