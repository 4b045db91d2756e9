import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commandLine } from "../../../../scripts/cli/commands/command-line.ts";
import { refuseOptionsKeptByNpm } from "../../../../scripts/cli/npm-options.ts";
import { lineToType } from "../../../../scripts/cli/typed-line.ts";
import { cloneRoot } from "../../../clone-root.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pgw-npm-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const scripts: Record<string, string> = {
  pgw: "node scripts/pgw.mjs",
  up: "node scripts/pgw.mjs up",
  "db:rollback": "node scripts/pgw.mjs migrate down",
  "db:status": "node scripts/pgw.mjs migrate status",
};

/** Returns the environment that npm 11 sets for a script. */
function ofNpm(script: string, settings: Record<string, string> = {}): NodeJS.ProcessEnv {
  const named = Object.entries(settings).map(([name, value]) => [`npm_config_${name}`, value]);
  return { npm_lifecycle_event: script, npm_lifecycle_script: scripts[script], ...Object.fromEntries(named) };
}

async function refusal(typed: string[], env: NodeJS.ProcessEnv): Promise<string> {
  try {
    refuseOptionsKeptByNpm(await commandLine(typed), typed, root, env);
    return "none";
  } catch (error) {
    return (error as { hint?: string }).hint?.split("\n")[0]?.trim() ?? String(error);
  }
}

const destroying = { loglevel: "silent", erase: "true", yes: "true" };

describe("an option that npm consumed is refused with the command to type", () => {
  it.each<[string, string[], string, Record<string, string>]>([
    // npm 11 treats `npm run up --stack=dev` in this way; the other form has a space instead of the equals sign.
    ["npm run up -- --stack dev", ["up"], "up", { stack: "dev" }],
    ["npm run up -- --stack dev", ["up", "dev"], "up", { stack: "true" }],
    ["npm run up -- --json", ["up"], "up", { json: "true" }],
    ["npm run up -- --wait", ["up"], "up", { wait: "true" }],
    ["npm run up -- --wait 5", ["up", "5"], "up", { wait: "true" }],
    ["npm run up -- --wait 5", ["up"], "up", { wait: "5" }],
    ["npm run up -- --stack dev --json", ["up"], "up", { stack: "dev", json: "true" }],
    ["npm run pgw -- destroy --erase a --erase b --yes", ["destroy"], "pgw", { erase: "a\n\nb", yes: "true" }],
    ["npm run pgw -- recover --dry-run", ["recover"], "pgw", { dry_run: "true" }],
    ["npm run pgw -- database new shop --no-settings", ["database", "new", "shop"], "pgw", { settings: "" }],
    ["npm run pgw -- psql --role readonly", ["psql", "readonly"], "pgw", { r: "true" }],
    ["npm run pgw -- psql --database shop", ["psql", "shop"], "pgw", { loglevel: "info" }],
    ["npm run pgw -- logs --follow", ["logs"], "pgw", { force: "true" }],
    ["npm run -s up -- --stack ci", ["up", "ci"], "up", { loglevel: "silent" }],
    ["npm run db:status -- --database shop", ["migrate", "status", "shop"], "db:status", { loglevel: "info" }],
    // npm completes --to to a setting of its own.
    ["npm run db:rollback -- --to 3", ["migrate", "down"], "db:rollback", { token_description: "3" }],
    ["npm run db:rollback -- --to '0 x'", ["migrate", "down"], "db:rollback", { to: "0 x" }],
    ["npm run up -- --stack VALUE", ["up"], "up", { stack: "true" }],
    // `npm run -s pgw destroy --erase shop --yes`: -s is npm's, and the only value is that of --erase.
    ["npm run -s pgw -- destroy --erase shop --yes", ["destroy", "shop"], "pgw", destroying],
    // `npm run pgw destroy --erase shop -s dev --yes`: either word could be the stack.
    ["npm run -s pgw -- destroy --stack VALUE --erase VALUE --yes", ["destroy", "shop", "dev"], "pgw", destroying],
    ["npm run pgw -- url --role app --stack dev", ["url", "--role", "app"], "pgw", { stack: "dev" }],
  ])("%s", async (line, typed, script, settings) => {
    expect(await refusal(typed, ofNpm(script, settings))).toBe(line);
  });
});

describe("npm's own settings", () => {
  it.each<[string, string[], NodeJS.ProcessEnv]>([
    ["are accepted if the command has no such option", ["up"], ofNpm("up", { yes: "true", audit: "", cache: "/c" })],
    ["are accepted if they turn a switch off", ["destroy"], ofNpm("pgw", { yes: "", json: "" })],
    ["are accepted if they make npm silent", ["psql", "--", "-c", "select 1"], ofNpm("pgw", { loglevel: "silent" })],
    [
      "are accepted if they make npm silent and an unknown option has a value",
      ["psql", "-r", "readonly", "-c", "select 1"],
      ofNpm("pgw", { loglevel: "silent" }),
    ],
    ["are accepted if they make npm verbose", ["url"], ofNpm("pgw", { loglevel: "info" })],
    ["are accepted if the command got the option as well", ["up", "--json"], ofNpm("up", { json: "true" })],
    ["are accepted if the command got the option in its short form", ["destroy", "-y"], ofNpm("pgw", { yes: "true" })],
    ["are accepted from the environment", ["up"], { ...ofNpm("up", { json: "true" }), NPM_CONFIG_JSON: "true" }],
    ["are accepted in foreign scripts", ["up"], { ...ofNpm("up", { stack: "dev" }), npm_lifecycle_script: "vitest" }],
    ["are accepted outside npm scripts", ["up"], { npm_config_stack: "dev" }],
  ])("%s", async (_what, typed, env) => {
    expect(await refusal(typed, env)).toBe("none");
  });

  it("are accepted if .npmrc sets them, unless the command line has another value", async () => {
    await writeFile(join(root, ".npmrc"), "json=true\nstack = dev\ndry-run\n");
    expect(await refusal(["up"], ofNpm("up", { json: "true", stack: "dev" }))).toBe("none");
    expect(await refusal(["recover"], ofNpm("pgw", { dry_run: "true" }))).toBe("none");
    expect(await refusal(["up"], ofNpm("up", { json: "true", stack: "ci" }))).toBe("npm run up -- --stack ci");
    const user = join(root, "user");
    await writeFile(user, "yes=true\n");
    expect(await refusal(["destroy"], ofNpm("pgw", { yes: "true", userconfig: user }))).toBe("none");
  });
});

describe("a command to type", () => {
  it("keeps what was typed, and puts options before those of another program", () => {
    const env = ofNpm("pgw");
    expect(lineToType(["--database", "shop"], { env, typed: ["psql", "--", "-c", "select 1"] })).toBe(
      "npm run pgw -- psql --database shop -- -c 'select 1'",
    );
    expect(lineToType(["-d", "shop"], { env: {}, typed: ["url"] })).toBe("npm run pgw -- url -d shop");
  });
});

describe("npm itself", () => {
  const npm = (...args: string[]) =>
    new Promise<[number, string]>((resolve) => {
      const env = { ...process.env };
      for (const name of Object.keys(env)) if (/^npm_/i.test(name)) delete env[name];
      execFile("npm", ["run", ...args], { cwd: cloneRoot, env }, (error, _stdout, stderr) =>
        resolve([error === null ? 0 : Number(error.code), stderr]),
      );
    });

  // Read-only commands: if they were not refused, they would run here.
  it.each([
    [["preview", "--stack=dev"], "npm run preview -- --stack dev"],
    [["pgw", "url", "-r", "app"], "npm run pgw -- url --role app"],
    [["pgw", "migrate", "plan", "--to=3"], "npm run pgw -- migrate plan --to 3"],
  ])("run as %j exits with wrong usage", async (args, line) => {
    const [code, stderr] = await npm(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`\n    ${line}\n`)]);
  });
});
