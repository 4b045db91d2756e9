import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { rememberedFault, rememberFault } from "../../../../scripts/pulumi/plugin-download-memory.ts";

const plugin = { name: "postgresql", version: "3.18.1" };
const hour = 60 * 60_000;
let env: { XDG_CACHE_HOME: string };
beforeEach(() => {
  env = { XDG_CACHE_HOME: mkdtempSync(join(tmpdir(), "memory-")) };
});
afterEach(() => rmSync(env.XDG_CACHE_HOME, { recursive: true, force: true }));

test("a failed download is remembered for an hour, for one version", () => {
  expect(rememberedFault(plugin, env)).toBeUndefined();
  rememberFault(plugin, "get.pulumi.com answers 403", env);
  expect(rememberedFault(plugin, env)).toBe("get.pulumi.com answers 403");
  expect(rememberedFault(plugin, env, Date.now() + hour - 60_000)).toBe("get.pulumi.com answers 403");
  expect(rememberedFault(plugin, env, Date.now() + hour + 60_000)).toBeUndefined();
  expect(rememberedFault({ ...plugin, version: "3.18.2" }, env)).toBeUndefined();
});

test("a failed download is ignored if its time is in the future", () => {
  rememberFault(plugin, "offline", env);
  expect(rememberedFault(plugin, env, Date.now() - hour)).toBeUndefined();
});

test("a failed download is ignored if its file is unreadable", () => {
  rememberFault(plugin, "offline", env);
  writeFileSync(join(env.XDG_CACHE_HOME, "pgroundwork/plugin-downloads/postgresql-3.18.1.json"), "{");
  expect(rememberedFault(plugin, env)).toBeUndefined();
});
