import { isInstalled } from "../core/kit-folder.ts";
import { shellQuote } from "../core/shell.ts";

/** Environment and arguments with which this command was started. */
interface Started {
  env?: NodeJS.ProcessEnv;
  /** Words typed after `pgw`, including those that an npm script adds. */
  typed?: readonly string[];
}

/** Commands that package.json has as scripts of their own. */
const scripts: Readonly<Record<string, string>> = {
  up: "up",
  preview: "preview",
  down: "down",
  "db:setup": "setup",
  "db:migrate": "migrate up",
  "db:rollback": "migrate down",
  "db:status": "migrate status",
  "db:seed": "seed apply",
  "db:backup": "backup dump",
  "db:restore": "dumps load",
  "db:rollback:emergency": "backup restore --in-place --before-deploy last",
};

/** Returns a text with its commands as they are typed here. A project that uses the package has no scripts of it. */
export function asTyped(text: string, installed = isInstalled): string {
  if (!installed) return text;
  return text.replace(/npm run (?:-s )?(pgw|up|preview|down|db:[a-z:]+)\b(?: --(?=\s))?/g, (line, name: string) => {
    if (name === "pgw") return "npx pgw";
    const command = scripts[name];
    return command === undefined ? line : `npx pgw ${command}`;
  });
}

/** Returns the script of package.json that started this command, and the words that it adds before the typed ones. */
export function npmScript(env: NodeJS.ProcessEnv = process.env): { name: string; words: string[] } | undefined {
  const { npm_lifecycle_event: name, npm_lifecycle_script: script } = env;
  const words = /^node scripts\/pgw\.mjs((?: [a-z:-]+)*)$/.exec(script ?? "")?.[1];
  if (name === undefined || words === undefined) return undefined;
  return { name, words: words.split(" ").filter((word) => word !== "") };
}

/** Returns the line that runs the same command with more options, as typed: `npm run db:status -- --stack dev`. */
export function lineToType(
  options: readonly string[],
  { env = process.env, typed = process.argv.slice(2) }: Started = {},
): string {
  const script = npmScript(env) ?? { name: "pgw", words: [] };
  const own = script.words.every((word, index) => typed[index] === word) ? script.words.length : 0;
  const given = typed.slice(own);
  // Words after a second `--` belong to another program.
  const end = given.indexOf("--");
  const [before, after] = end < 0 ? [given, []] : [given.slice(0, end), given.slice(end)];
  const silent = env.npm_config_loglevel === "silent" ? "-s " : "";
  const words = [...before, ...options, ...after].map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : shellQuote(word),
  );
  return [`npm run ${silent}${script.name}`, ...(words.length === 0 ? [] : ["--", ...words])].join(" ");
}
