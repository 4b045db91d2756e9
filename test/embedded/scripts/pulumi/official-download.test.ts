import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ensureEngine } from "../../../../scripts/pulumi/ensure-engine.ts";
import { engineFolder } from "../../../../scripts/pulumi/locations.ts";
import { Machine } from "./fake-toolchain.ts";

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
  delete machine.env.PGW_OFFLINE;
});
afterEach(() => {
  vi.unstubAllGlobals();
  machine.remove();
});

/** Replaces the download site by one that has the archive and this text as its installer. */
function publish(installer: string): void {
  vi.stubGlobal("fetch", async (url: string | URL, init?: RequestInit) =>
    init?.method === "HEAD" ? new Response(null) : new Response(String(url).endsWith("install.sh") ? installer : ""),
  );
}

const findRoot = 'while [ "$1" != --install-root ]; do shift; done; mkdir -p "$2/bin"; cd "$2/bin"';
const writeEngine = (version: string) => `printf '#!/bin/sh\\necho v${version}\\n' > pulumi; chmod 755 pulumi`;
const writeLanguageHost = "cp pulumi pulumi-language-nodejs";

const ensure = () => ensureEngine({ root: machine.root, env: machine.env });

test("the official distribution is installed into the cache and used from there", async () => {
  publish([findRoot, writeEngine("3.259.0"), writeLanguageHost].join("\n"));
  const bin = join(engineFolder(machine.env), "bin");
  expect(await ensure()).toMatchObject({
    source: "download",
    version: "3.259.0",
    pulumi: join(bin, "pulumi"),
    languageHost: join(bin, "pulumi-language-nodejs"),
  });
});

test.each([
  [
    "stops halfway",
    [findRoot, writeEngine("3.259.0"), "echo 'curl: (18) transfer closed' >&2; exit 18"],
    /transfer closed/,
  ],
  [
    "brings no language host",
    [findRoot, writeEngine("3.259.0")],
    /download: the distribution contains no pulumi-language-nodejs/,
  ],
  [
    "brings another version",
    [findRoot, writeEngine("3.260.0"), writeLanguageHost],
    /download: got version 3\.260\.0 instead of 3\.259\.0/,
  ],
])("an installer that %s leaves nothing behind", async (_, installer, reason) => {
  machine.env.PATH = machine.bin;
  publish(installer.join("\n"));
  await expect(ensure()).rejects.toThrow(reason);
  expect(existsSync(engineFolder(machine.env))).toBe(false);
  expect(readdirSync(join(machine.base, "home/.cache/pgroundwork/staging"))).toEqual([]);
});

test("the engine is built after a failed download", async () => {
  machine.installGo();
  publish("exit 1");
  expect((await ensure()).source).toBe("build");
});
