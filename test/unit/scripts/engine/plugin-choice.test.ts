import { expect, test } from "vitest";
import { choosePlugin } from "../../../../scripts/engine/plugin-choice.ts";

const plugin = { name: "postgresql", version: "3.18.1" };
const standIn = "/clone/infra/airgap/postgresql/main.ts";
const installed = "/home/u/.pulumi/plugins/resource-postgresql-v3.18.1/pulumi-resource-postgresql";

test("a plugin on PATH is used first, as the engine itself would", () => {
  expect(choosePlugin(plugin, { onPath: "/opt/pulumi-resource-postgresql", installed, standIn })).toEqual({
    ...plugin,
    use: "official",
    reason: "found on PATH",
    path: "/opt/pulumi-resource-postgresql",
  });
});

test("an installed official plugin is used before the stand-in", () => {
  expect(choosePlugin(plugin, { installed, standIn })).toEqual({
    ...plugin,
    use: "official",
    reason: "installed",
    path: installed,
  });
});

test("the stand-in is used when the official plugin cannot be downloaded, and the reason is kept", () => {
  expect(choosePlugin(plugin, { standIn, downloadFault: "get.pulumi.com is not reachable (ENOTFOUND)" })).toEqual({
    ...plugin,
    use: "stand-in",
    reason: "no official plugin: get.pulumi.com is not reachable (ENOTFOUND)",
    path: standIn,
  });
});

test("before any download was tried the reason says only that it is not installed", () => {
  expect(choosePlugin(plugin, { standIn }).reason).toBe("the official plugin is not installed");
});

test("a provider without stand-in is missing", () => {
  expect(choosePlugin(plugin, { downloadFault: "get.pulumi.com answers 403" })).toEqual({
    ...plugin,
    use: "missing",
    reason: "no official plugin: get.pulumi.com answers 403, and the kit has no stand-in for it",
  });
});
