import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type EnvironmentInput, engineEnvironment, enginePath } from "../../../../scripts/pulumi/environment.ts";
import type { PluginChoice } from "../../../../scripts/pulumi/plugin-choice.ts";

let base: string;
let root: string;
let home: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "environment "));
  root = join(base, "clone");
  home = join(base, "home");
  mkdirSync(root);
  mkdirSync(join(home, ".pulumi"), { recursive: true });
  writeFileSync(join(root, "Pulumi.yaml"), "name: x\nbackend:\n  url: file://./.pgroundwork\n");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const official: PluginChoice = {
  name: "postgresql",
  version: "3.18.1",
  use: "official",
  reason: "installed",
  path: "/p",
};
const fallbackProvider: PluginChoice = {
  ...official,
  use: "fallback",
  reason: "no official plugin: offline",
  path: "/s",
};

function input(changes: Partial<EnvironmentInput> = {}): EnvironmentInput {
  return {
    root,
    env: { HOME: home, PATH: "/usr/bin:/bin", ...changes.env },
    engine: changes.engine ?? { path: "/cache/bin/pulumi", version: "3.259.0", source: "build" },
    languageHost: changes.languageHost ?? { path: "/cache/bin/pulumi-language-nodejs", source: "build" },
    plugins: changes.plugins ?? [official],
  };
}

test("PATH has the project's Node, then the kit's engine, then the user's folders", () => {
  expect(engineEnvironment(input()).PATH).toBe(`${root}/node_modules/.bin:/cache/bin:/usr/bin:/bin`);
});

test("PATH does not repeat a folder that it already has", () => {
  expect(engineEnvironment(input({ env: { PATH: "/usr/bin:/cache/bin" } })).PATH).toBe(
    `${root}/node_modules/.bin:/cache/bin:/usr/bin`,
  );
});

test("PATH does not get the folder of an engine that the user's PATH finds first", () => {
  const bin = join(base, "bin");
  mkdirSync(bin);
  for (const name of ["pulumi", "pulumi-language-nodejs"])
    writeFileSync(join(bin, name), "#!/bin/sh\n", { mode: 0o755 });
  const engine = { path: join(bin, "pulumi"), version: "3.260.0", source: "path" } as const;
  const languageHost = { path: join(bin, "pulumi-language-nodejs"), source: "path" } as const;
  const env = { PATH: `/nowhere:${bin}:/usr/bin` };
  expect(enginePath(input({ engine, languageHost, env }))).toEqual([`${root}/node_modules/.bin`]);
});

test("PATH has the user's engine before the kit's language host", () => {
  const engine = { path: "/opt/pulumi/pulumi", version: "3.260.0", source: "path" } as const;
  expect(enginePath(input({ engine }))).toEqual([`${root}/node_modules/.bin`, "/opt/pulumi", "/cache/bin"]);
});

test("PULUMI_HOME stays the user's own if every plugin is official", () => {
  const variables = engineEnvironment(input());
  expect(variables).not.toHaveProperty("PULUMI_HOME");
  expect(variables).not.toHaveProperty("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION");
});

test("PULUMI_HOME is the project's with a fallback provider, and the engine downloads no plugins", () => {
  const variables = engineEnvironment(input({ plugins: [official, fallbackProvider] }));
  expect(variables.PULUMI_HOME).toBe(`${root}/.pgroundwork/home`);
  expect(variables.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION).toBe("true");
  expect(variables).not.toHaveProperty("PULUMI_CREDENTIALS_PATH");
});

test("the user's login stays in use with a fallback provider", () => {
  writeFileSync(join(home, ".pulumi/credentials.json"), "{}");
  expect(engineEnvironment(input({ plugins: [fallbackProvider] })).PULUMI_CREDENTIALS_PATH).toBe(`${home}/.pulumi`);
});

test("PULUMI_HOME is the user's again if the shell still has the project's but no fallback provider is used", () => {
  const env = { PULUMI_HOME: `${root}/.pgroundwork/home` };
  expect(engineEnvironment(input({ env })).PULUMI_HOME).toBe(`${home}/.pulumi`);
});

test("a relative backend of the project becomes absolute, unless the user exports one", () => {
  expect(engineEnvironment(input()).PULUMI_BACKEND_URL).toBe(`file://${root.replaceAll(" ", "%20")}/.pgroundwork`);
  const env = { PULUMI_BACKEND_URL: "s3://team" };
  expect(engineEnvironment(input({ env }))).not.toHaveProperty("PULUMI_BACKEND_URL");
});
