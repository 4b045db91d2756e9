import { afterEach, beforeEach, expect, test } from "vitest";
import { findEngine } from "../../../../scripts/pulumi/find-engine.ts";
import { Machine } from "./fake-toolchain.ts";

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
});
afterEach(() => machine.remove());

test("a compatible engine on PATH is used, with the language host in its folder", async () => {
  const engine = machine.script("bin/pulumi", "echo v3.300.1");
  const languageHost = machine.script("bin/pulumi-language-nodejs", "");
  expect(await findEngine(machine.env)).toEqual({
    engine: { path: engine, version: "3.300.1", source: "path" },
    languageHost: { path: languageHost, source: "path" },
    rejected: [],
  });
});

test.each([
  ["echo v3.100.0", "is version 3.100.0, required is >=3.259.0 <4"],
  ["echo v4.0.0", "is version 4.0.0, required is >=3.259.0 <4"],
])("an engine on PATH whose version does not fit is skipped with the reason: `%s`", async (body, reason) => {
  const engine = machine.script("bin/pulumi", body);
  expect((await findEngine(machine.env)).rejected[0]).toBe(`PATH: ${engine} ${reason}`);
});

test("an engine on PATH that does not run is skipped with its own error", async () => {
  const engine = machine.script("bin/pulumi", "echo 'library missing' >&2; exit 127");
  expect((await findEngine(machine.env)).rejected[0]).toBe(`PATH: ${engine} does not run: library missing`);
});

test("an engine on PATH that prints no version is skipped", async () => {
  const engine = machine.script("bin/pulumi", "echo hello");
  expect((await findEngine(machine.env)).rejected[0]).toBe(`PATH: \`${engine} version\` printed no version: hello`);
});

test("an engine on PATH without a language host is used, and the lack is reported", async () => {
  const engine = machine.script("bin/pulumi", "echo v3.259.0");
  const lookup = await findEngine(machine.env);
  expect(lookup.engine).toEqual({ path: engine, version: "3.259.0", source: "path" });
  expect(lookup.languageHost).toBeUndefined();
  expect(lookup.rejected[0]).toBe(`PATH: ${engine} has no pulumi-language-nodejs beside it`);
});

test("the version of a real binary is remembered until the file changes, that of a small wrapper is not", async () => {
  machine.script("bin/pulumi-language-nodejs", "");
  const counting = `echo asked >> '${machine.base}/asked'; echo v3.300.1; exit\n`;
  const asked = async () => {
    await findEngine(machine.env);
    return (await import("node:fs")).readFileSync(`${machine.base}/asked`, "utf8").split("\n").length - 1;
  };
  machine.script("bin/pulumi", counting);
  expect(await asked()).toBe(1);
  expect(await asked()).toBe(2);
  machine.script("bin/pulumi", counting + "#".repeat(1_000_000));
  expect(await asked()).toBe(3);
  expect(await asked()).toBe(3);
  machine.script("bin/pulumi", counting + "#".repeat(1_000_001));
  expect(await asked()).toBe(4);
});
