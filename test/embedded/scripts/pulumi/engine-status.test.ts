import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { engineStatus } from "../../../../scripts/pulumi/engine-status.ts";
import { ensureEngine } from "../../../../scripts/pulumi/ensure-engine.ts";
import { engineFolder } from "../../../../scripts/pulumi/locations.ts";
import { Machine } from "./fake-toolchain.ts";

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
  machine.write("clone/package.json", '{"dependencies":{"@pulumi/postgresql":"3.18.1"}}');
  machine.write(
    "clone/node_modules/@pulumi/postgresql/package.json",
    '{"version":"3.18.1","pulumi":{"resource":true,"name":"postgresql"}}',
  );
  machine.write("clone/infra/fallback-providers/postgresql/main.ts", "");
});
afterEach(() => machine.remove());

const hint = "`npm run pgw -- engine install` downloads it, or builds it from Go modules where downloads are blocked";
const cache = () => join(machine.base, "home/.cache/pgroundwork");

test("the engine status on a bare machine is absent, and reading it creates nothing", async () => {
  machine.installGo();
  expect(await engineStatus(machine.root, machine.env)).toEqual({
    engine: { state: "absent", hint },
    compatible: ">=3.259.0 <4",
    languageHost: { state: "absent", hint },
    plugins: [
      {
        name: "postgresql",
        version: "3.18.1",
        use: "fallback",
        reason: "the official plugin is not installed",
        path: join(machine.root, "infra/fallback-providers/postgresql/main.ts"),
      },
    ],
    home: join(machine.root, ".pgroundwork/home"),
    cache: cache(),
    rejected: ["PATH: no pulumi", `cache: nothing in ${engineFolder(machine.env)}`],
  });
  expect(existsSync(join(machine.base, "builds"))).toBe(false);
  expect(existsSync(cache())).toBe(false);
  expect(existsSync(join(machine.root, ".pgroundwork"))).toBe(false);
});

test("the engine status after a build says so, with the paths of the binaries", async () => {
  machine.installGo();
  await ensureEngine({ root: machine.root, env: machine.env });
  const bin = join(engineFolder(machine.env), "bin");
  expect(await engineStatus(machine.root, machine.env)).toMatchObject({
    engine: { state: "present", source: "build", version: "3.259.0", path: join(bin, "pulumi") },
    languageHost: { state: "present", source: "build", path: join(bin, "pulumi-language-nodejs") },
  });
});

test("the engine status with official plugins has the user's own home", async () => {
  const plugin = machine.script("home/.pulumi/plugins/resource-postgresql-v3.18.1/pulumi-resource-postgresql", "");
  const status = await engineStatus(machine.root, machine.env);
  expect(status.home).toBe(join(machine.base, "home/.pulumi"));
  expect(status.plugins).toEqual([
    { name: "postgresql", version: "3.18.1", use: "official", reason: "installed", path: plugin },
  ]);
});
