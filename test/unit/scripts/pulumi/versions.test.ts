import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { engineVersion, isCompatibleEngine, languageHostVersion } from "../../../../scripts/pulumi/versions.ts";

const root = join(import.meta.dirname, "../../../..");

test("the engine has the version of the SDK in package.json", () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(dependencies["@pulumi/pulumi"]).toBe(engineVersion);
});

test("the Go modules to build have the versions that the kit names", () => {
  const goMod = (folder: string) => readFileSync(join(root, "scripts/pulumi/go", folder, "go.mod"), "utf8");
  expect(goMod("engine")).toContain(`github.com/pulumi/pulumi/pkg/v3 v${engineVersion} `);
  expect(goMod("language-host")).toContain(`github.com/pulumi/pulumi/sdk/v3 v${languageHostVersion} `);
});

test.each([
  ["3.259.0", true],
  ["3.260.0", true],
  ["3.260.0-alpha.x1234", true],
  ["3.258.9", false],
  ["3.259.0-alpha.1", false],
  ["4.0.0", false],
  ["2.25.0", false],
])("an engine of version %s: compatible is %s", (version, compatible) => {
  expect(isCompatibleEngine(version)).toBe(compatible);
});
