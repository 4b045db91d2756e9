import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readArtifact, writeManifest } from "../../../../scripts/pulumi/installed-artifact.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "artifact-"));
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin", "pulumi"), "12345");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a folder without a manifest is absent, whatever it contains", () => {
  expect(readArtifact(folder)).toEqual({ state: "absent" });
});

test("a complete folder is whole, and its manifest has the source", () => {
  writeManifest(folder, "3.259.0", "build", ["pulumi"]);
  expect(readArtifact(folder)).toMatchObject({
    state: "whole",
    manifest: { version: "3.259.0", source: "build", files: { pulumi: 5 } },
  });
});

test("a truncated file is reported", () => {
  writeManifest(folder, "3.259.0", "build", ["pulumi"]);
  writeFileSync(join(folder, "bin", "pulumi"), "123");
  expect(readArtifact(folder)).toEqual({
    state: "broken",
    fault: `${folder}/bin/pulumi has 3 bytes instead of 5`,
  });
});

test("a missing file is reported", () => {
  writeManifest(folder, "3.259.0", "build", ["pulumi"]);
  rmSync(join(folder, "bin", "pulumi"));
  expect(readArtifact(folder)).toEqual({ state: "broken", fault: `${folder}/bin/pulumi is missing` });
});

test.each(["", "null", "{", '{"version":"3.259.0"}', '{"version":"1","source":"theft","installedAt":"","files":{}}'])(
  "a manifest of %j is reported",
  (text) => {
    writeFileSync(join(folder, "engine.json"), text);
    expect(readArtifact(folder)).toEqual({ state: "broken", fault: `${folder}/engine.json is not readable` });
  },
);

test("a manifest cannot be written for a missing file", () => {
  expect(() => writeManifest(folder, "3.259.0", "build", ["pulumi", "pulumi-language-nodejs"])).toThrow(
    `ENOENT: no such file or directory, stat '${folder}/bin/pulumi-language-nodejs'`,
  );
});
