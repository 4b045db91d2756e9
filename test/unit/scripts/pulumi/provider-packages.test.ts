import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { providerPackages } from "../../../../scripts/pulumi/provider-packages.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "packages-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: object): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(content));
}

test("@pulumi dependencies that declare a plugin are the plugins, in their installed version", () => {
  write("package.json", {
    dependencies: { "@pulumi/pulumi": "3.259.0", "@pulumi/postgresql": "^3", "@pulumi/docker": "5.2.0", pg: "8" },
  });
  write("node_modules/@pulumi/pulumi/package.json", { version: "3.259.0" });
  write("node_modules/@pulumi/postgresql/package.json", {
    version: "3.18.1",
    pulumi: { resource: true, name: "postgresql", version: "3.18.1" },
  });
  write("node_modules/@pulumi/docker/package.json", { version: "v5.2.0", pulumi: { resource: true } });
  expect(providerPackages(root)).toEqual([
    { name: "postgresql", version: "3.18.1" },
    { name: "docker", version: "5.2.0" },
  ]);
});

test("a program without provider packages has no plugins", () => {
  write("package.json", {});
  expect(providerPackages(root)).toEqual([]);
});
