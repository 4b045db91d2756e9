import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { choosePlugin, findPlugin } from "../../../../scripts/pulumi/plugin-choice.ts";
import { fillCloneHome } from "../../../../scripts/pulumi/plugin-home.ts";

const plugin = { name: "postgresql", version: "3.18.1" };
const folder = "plugins/resource-postgresql-v3.18.1";
const file = "pulumi-resource-postgresql";
let base: string;
let root: string;
let env: { HOME: string; PATH: string };

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "it's a home-"));
  root = join(base, "clone");
  env = { HOME: join(base, "home"), PATH: join(base, "bin") };
  write(
    join(root, "infra/fallback-providers/postgresql/main.ts"),
    "console.log(JSON.stringify(process.argv.slice(2)))",
  );
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function write(path: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, mode);
}

const launcher = () => join(root, ".pgroundwork/home", folder, file);
const userPlugin = () => join(env.HOME, ".pulumi", folder, file);

test("the launcher of a fallback provider runs the project's program with its arguments", () => {
  fillCloneHome(root, [choosePlugin(plugin, findPlugin(plugin, root, env))]);
  const output = execFileSync(launcher(), ["127.0.0.1:9", "a b"], { encoding: "utf8", env: { PATH: "/usr/bin:/bin" } });
  expect(JSON.parse(output)).toEqual(["127.0.0.1:9", "a b"]);
});

test("a correct launcher is left alone, and another one is replaced", () => {
  const choice = choosePlugin(plugin, findPlugin(plugin, root, env));
  fillCloneHome(root, [choice]);
  const { ino } = statSync(launcher());
  fillCloneHome(root, [choice]);
  expect(statSync(launcher()).ino).toBe(ino);
  const script = readFileSync(launcher(), "utf8");
  writeFileSync(launcher(), "#!/bin/sh\nexit 1\n");
  fillCloneHome(root, [choice]);
  expect(readFileSync(launcher(), "utf8")).toBe(script);
});

test("the kit's launcher is never treated as an official plugin, wherever it was copied to", () => {
  fillCloneHome(root, [choosePlugin(plugin, findPlugin(plugin, root, env))]);
  write(userPlugin(), readFileSync(launcher(), "utf8"), 0o755);
  write(join(env.PATH, file), readFileSync(launcher(), "utf8"), 0o755);
  expect(findPlugin(plugin, root, env)).toEqual({
    onPath: undefined,
    installed: undefined,
    fallbackProvider: join(root, "infra/fallback-providers/postgresql/main.ts"),
  });
});

test("an official plugin in the user's home is found, unless its installation is incomplete", () => {
  write(userPlugin(), "ELF", 0o755);
  expect(findPlugin(plugin, root, env).installed).toBe(userPlugin());
  write(`${dirname(userPlugin())}.partial`, "");
  expect(findPlugin(plugin, root, env).installed).toBeUndefined();
});

test("an empty plugin folder, or a file that is not executable, is not a plugin", () => {
  mkdirSync(dirname(userPlugin()), { recursive: true });
  expect(findPlugin(plugin, root, env).installed).toBeUndefined();
  write(userPlugin(), "ELF", 0o644);
  expect(findPlugin(plugin, root, env).installed).toBeUndefined();
});

test("a plugin on PATH is found, unless the engine ignores those", () => {
  write(join(env.PATH, file), "ELF", 0o755);
  expect(findPlugin(plugin, root, env).onPath).toBe(join(env.PATH, file));
  expect(findPlugin(plugin, root, { ...env, PULUMI_IGNORE_AMBIENT_PLUGINS: "true" }).onPath).toBeUndefined();
});

test("an official plugin is linked into the project's home in place of an older launcher", () => {
  const before = choosePlugin(plugin, findPlugin(plugin, root, env));
  fillCloneHome(root, [before]);
  write(userPlugin(), "ELF", 0o755);
  write(join(dirname(userPlugin()), "LICENSE"), "terms");
  fillCloneHome(root, [choosePlugin(plugin, findPlugin(plugin, root, env))]);
  expect(readFileSync(launcher(), "utf8")).toBe("ELF");
  expect(existsSync(join(dirname(launcher()), "LICENSE"))).toBe(true);
  expect(findPlugin(plugin, root, { ...env, HOME: join(base, "nobody") }).installed).toBe(launcher());
});
