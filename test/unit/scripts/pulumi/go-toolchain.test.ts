import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type GoSettings, whyGoTooOld, whyNoModules } from "../../../../scripts/pulumi/go-toolchain.ts";

let moduleCache: string;
beforeEach(() => {
  moduleCache = mkdtempSync(join(tmpdir(), "modules-"));
});
afterEach(() => rmSync(moduleCache, { recursive: true, force: true }));

const module = { path: "example.org/engine", version: "v1.2.3" };

function settings(changes: Partial<GoSettings>): GoSettings {
  return { GOVERSION: "go1.26.0", GOTOOLCHAIN: "auto", GOPROXY: "off", GOMODCACHE: moduleCache, ...changes };
}

test.each([
  ["go1.25.11", "local", undefined],
  ["go1.26.8", "local", undefined],
  ["go1.26rc1", "local", undefined],
  ["devel +abc", "local", undefined],
  ["go1.24.1", "auto", undefined],
  ["go1.24.1", "local", "go on PATH is 1.24.1, required is 1.25.11 or newer and GOTOOLCHAIN=local forbids fetching it"],
  ["go1.20.3", "", "go on PATH is 1.20.3, required is 1.25.11 or newer"],
])("%s with GOTOOLCHAIN=%s: %s", (GOVERSION, GOTOOLCHAIN, reason) => {
  expect(whyGoTooOld(settings({ GOVERSION, GOTOOLCHAIN }), "1.25.11")).toBe(reason);
});

test("a module in the module cache needs no proxy", async () => {
  const folder = join(moduleCache, "cache/download/example.org/engine/@v");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "v1.2.3.zip"), "");
  expect(await whyNoModules(module, settings({}), { PGW_OFFLINE: "1" })).toBeUndefined();
});

test("a module that is not in the cache is reported as missing offline", async () => {
  expect(await whyNoModules(module, settings({}), { PGW_OFFLINE: "1" })).toBe(
    "PGW_OFFLINE is set, and the Go module cache does not contain the engine",
  );
});

test("GOPROXY=off is reported as the reason if a module is missing", async () => {
  expect(await whyNoModules(module, settings({ GOPROXY: "off" }), {})).toBe("GOPROXY is off");
});

test.each(["direct", "file:///mirror", "file:///mirror,off"])(
  "GOPROXY=%s is accepted without a check",
  async (GOPROXY) => {
    expect(await whyNoModules(module, settings({ GOPROXY }), {})).toBeUndefined();
  },
);
