import { describe, expect, it } from "vitest";
import { type FallbackProviderUse, fallbackProviderRefusal } from "../../../../infra/plan/fallback-providers.ts";

const use = (change: Partial<FallbackProviderUse>): FallbackProviderUse => ({
  fallbackProviders: ["postgresql"],
  airgap: undefined,
  stack: "local",
  real: false,
  ...change,
});

describe("fallback providers", () => {
  it.each([
    ["a local stack", use({})],
    [
      "a production stack whose plugins are all official",
      use({ stack: "production", real: true, fallbackProviders: [] }),
    ],
    ["a production stack that allows them", use({ stack: "production", real: true, airgap: true })],
  ])("are accepted in %s", (_name, given) => {
    expect(fallbackProviderRefusal(given)).toBeUndefined();
  });

  it.each([
    ["a real stack", use({ stack: "production", real: true })],
    ["a stack that forbids them", use({ airgap: false })],
  ])("are refused in %s", (_name, given) => {
    expect(fallbackProviderRefusal(given)).toBe(
      `Stack "${given.stack}" does not accept the fallback provider for the official postgresql plugin.`,
    );
  });
});
