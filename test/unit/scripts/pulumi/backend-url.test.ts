import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { absoluteBackendUrl, projectBackend } from "../../../../scripts/pulumi/backend-url.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function project(backend: string, prefix = "backend-"): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  folders.push(folder);
  writeFileSync(join(folder, "Pulumi.yaml"), `name: x\nruntime: nodejs\n${backend}`);
  return folder;
}

test.each([
  ["backend:\n  url: file://./.pgroundwork\n", "file://./.pgroundwork"],
  ['backend: {url: "file://./a b"}\n', "file://./a b"],
  ["backend:\n    url: 's3://bucket?region=x'\n", "s3://bucket?region=x"],
  ["backend:\n  url: https://api.pulumi.com # ours\n", "https://api.pulumi.com"],
  ["# backend:\n#   url: file://./x\n", undefined],
  ["", undefined],
])("the backend of %j is %s", (yaml, url) => {
  expect(projectBackend(`name: x\n${yaml}main: infra/program.ts\n`)).toBe(url);
});

test("a folder relative to Pulumi.yaml becomes an absolute URL", () => {
  const folder = project("backend:\n  url: file://./.pgroundwork\n");
  expect(absoluteBackendUrl(folder)).toBe(`file://${folder}/.pgroundwork`);
});

test("special characters of a URL are encoded in the path", () => {
  const folder = project("backend:\n  url: file://./.pgroundwork\n", "a b#c%20?-");
  expect(absoluteBackendUrl(folder)).toBe(
    `file://${folder.replace("%", "%25").replace(" ", "%20").replace("#", "%23").replace("?", "%3F")}/.pgroundwork`,
  );
});

test.each(["file:///var/state", "file://~/state", "s3://bucket", "https://api.pulumi.com"])(
  "a backend of %s is not changed",
  (url) => {
    expect(absoluteBackendUrl(project(`backend:\n  url: ${url}\n`))).toBeUndefined();
  },
);

test("a project without a Pulumi program names no backend", () => {
  const folder = mkdtempSync(join(tmpdir(), "backend-"));
  folders.push(folder);
  expect(absoluteBackendUrl(folder)).toBeUndefined();
});
