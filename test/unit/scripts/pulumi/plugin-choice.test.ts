import { expect, test } from "vitest";
import { choosePlugin } from "../../../../scripts/pulumi/plugin-choice.ts";

const plugin = { name: "postgresql", version: "3.18.1" };
const fallbackProvider = "/clone/infra/fallback-providers/postgresql/main.ts";
const installed = "/home/u/.pulumi/plugins/resource-postgresql-v3.18.1/pulumi-resource-postgresql";

test("a plugin on PATH is used first, as by the engine itself", () => {
  expect(choosePlugin(plugin, { onPath: "/opt/pulumi-resource-postgresql", installed, fallbackProvider })).toEqual({
    ...plugin,
    use: "official",
    reason: "found on PATH",
    path: "/opt/pulumi-resource-postgresql",
  });
});

test("an installed official plugin is used before the fallback provider", () => {
  expect(choosePlugin(plugin, { installed, fallbackProvider })).toEqual({
    ...plugin,
    use: "official",
    reason: "installed",
    path: installed,
  });
});

test("a fallback provider is used if the official plugin cannot be downloaded, with the reason", () => {
  expect(
    choosePlugin(plugin, { fallbackProvider, downloadFault: "get.pulumi.com is not reachable (ENOTFOUND)" }),
  ).toEqual({
    ...plugin,
    use: "fallback",
    reason: "no official plugin: get.pulumi.com is not reachable (ENOTFOUND)",
    path: fallbackProvider,
  });
});

test("a fallback provider is used before any download because the official plugin is not installed", () => {
  expect(choosePlugin(plugin, { fallbackProvider }).reason).toBe("the official plugin is not installed");
});

test("a provider without official plugin and fallback provider is missing", () => {
  expect(choosePlugin(plugin, { downloadFault: "get.pulumi.com answers 403" })).toEqual({
    ...plugin,
    use: "missing",
    reason: "no official plugin: get.pulumi.com answers 403, and there is no fallback provider for it",
  });
});
