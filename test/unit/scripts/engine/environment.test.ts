import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type EnvironmentInput, engineEnvironment, enginePath } from "../../../../scripts/engine/environment.ts";
import type { PluginChoice } from "../../../../scripts/engine/plugin-choice.ts";

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
const standIn: PluginChoice = { ...official, use: "stand-in", reason: "no official plugin: offline", path: "/s" };

function input(changes: Partial<EnvironmentInput> = {}): EnvironmentInput {
  return {
    root,
    env: { HOME: home, PATH: "/usr/bin:/bin", ...changes.env },
    engine: changes.engine ?? { path: "/cache/bin/pulumi", version: "3.259.0", source: "build" },
    languageHost: changes.languageHost ?? { path: "/cache/bin/pulumi-language-nodejs", source: "build" },
    plugins: changes.plugins ?? [official],
  };
}

test("the clone's Node comes before the kit's engine, and both before the user's PATH", () => {
  expect(engineEnvironment(input()).PATH).toBe(`${root}/node_modules/.bin:/cache/bin:/usr/bin:/bin`);
});

test("a folder that is on PATH already is not repeated", () => {
  expect(engineEnvironment(input({ env: { PATH: "/usr/bin:/cache/bin" } })).PATH).toBe(
    `${root}/node_modules/.bin:/cache/bin:/usr/bin`,
  );
});

test("the engine that the user's PATH finds first needs no place on it", () => {
  const bin = join(base, "bin");
  mkdirSync(bin);
  for (const name of ["pulumi", "pulumi-language-nodejs"])
    writeFileSync(join(bin, name), "#!/bin/sh\n", { mode: 0o755 });
  const engine = { path: join(bin, "pulumi"), version: "3.260.0", source: "path" } as const;
  const languageHost = { path: join(bin, "pulumi-language-nodejs"), source: "path" } as const;
  const env = { PATH: `/nowhere:${bin}:/usr/bin` };
  expect(enginePath(input({ engine, languageHost, env }))).toEqual([`${root}/node_modules/.bin`]);
});

test("a user's engine with the kit's language host stays before the kit's folder", () => {
  const engine = { path: "/opt/pulumi/pulumi", version: "3.260.0", source: "path" } as const;
  expect(enginePath(input({ engine }))).toEqual([`${root}/node_modules/.bin`, "/opt/pulumi", "/cache/bin"]);
});

test("where every plugin is official the user's own PULUMI_HOME stays in use", () => {
  const variables = engineEnvironment(input());
  expect(variables).not.toHaveProperty("PULUMI_HOME");
  expect(variables).not.toHaveProperty("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION");
});

test("one stand-in takes the clone's PULUMI_HOME and keeps the engine from downloading", () => {
  const variables = engineEnvironment(input({ plugins: [official, standIn] }));
  expect(variables.PULUMI_HOME).toBe(`${root}/.pgroundwork/home`);
  expect(variables.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION).toBe("true");
  expect(variables).not.toHaveProperty("PULUMI_CREDENTIALS_PATH");
});

test("the user's login is kept beside a stand-in", () => {
  writeFileSync(join(home, ".pulumi/credentials.json"), "{}");
  expect(engineEnvironment(input({ plugins: [standIn] })).PULUMI_CREDENTIALS_PATH).toBe(`${home}/.pulumi`);
});

test("a shell that still has the clone's PULUMI_HOME goes back to the user's once no stand-in is needed", () => {
  const env = { PULUMI_HOME: `${root}/.pgroundwork/home` };
  expect(engineEnvironment(input({ env })).PULUMI_HOME).toBe(`${home}/.pulumi`);
});

test("the project's relative backend is made absolute, unless the user names one", () => {
  expect(engineEnvironment(input()).PULUMI_BACKEND_URL).toBe(`file://${root.replaceAll(" ", "%20")}/.pgroundwork`);
  const env = { PULUMI_BACKEND_URL: "s3://team" };
  expect(engineEnvironment(input({ env }))).not.toHaveProperty("PULUMI_BACKEND_URL");
});

test.each([
  { PULUMI_CONFIG_PASSPHRASE: "theirs" },
  { PULUMI_CONFIG_PASSPHRASE: "" },
  { PULUMI_CONFIG_PASSPHRASE_FILE: "/f" },
])("the clone's passphrase stays out of the way of %j", (env) => {
  expect(engineEnvironment(input({ env }))).not.toHaveProperty("PULUMI_CONFIG_PASSPHRASE_FILE");
});

test("without a passphrase of the user's the clone's own file is named", () => {
  expect(engineEnvironment(input()).PULUMI_CONFIG_PASSPHRASE_FILE).toBe(`${root}/.pgroundwork/passphrase`);
});
