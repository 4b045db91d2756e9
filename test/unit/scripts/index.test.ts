import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import * as components from "../../../infra/package/index.ts";
import * as kysely from "../../../scripts/client/kysely.ts";
import * as programs from "../../../scripts/index.ts";

/** Returns the texts of all tests in a folder that contain a word. */
async function testsWith(word: string): Promise<string> {
  const texts = ["embedded", "docker"].map(async (need) => {
    const folder = join(import.meta.dirname, "..", "..", need);
    const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".ts"));
    return Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  });
  return (await Promise.all(texts))
    .flat(2)
    .filter((text) => text.includes(word))
    .join("\n");
}

const isClass = (value: unknown) => /^class\b/.test(Function.prototype.toString.call(value));

/** Functions that programs call. Classes of errors are left out: index.test.ts of the embedded tests looks at all. */
const functions = Object.fromEntries(Object.entries<unknown>(programs).filter(([, value]) => !isClass(value)));

it.each([
  { entry: "pgroundwork", exported: functions, imported: "importPackage(", use: (name: string) => `kit.${name}(` },
  {
    entry: "pgroundwork/kysely",
    exported: kysely,
    imported: "importPackage(",
    use: (name: string) => `kysely.${name}`,
  },
  {
    entry: "pgroundwork/pulumi",
    exported: components,
    imported: '"pgroundwork/pulumi"',
    use: (name: string) => `new ${name}(`,
  },
])("every export of $entry is used from the installed package by a test", async ({ exported, imported, use }) => {
  const tests = await testsWith(imported);
  expect(Object.keys(exported).length).toBeGreaterThan(3);
  expect(Object.keys(exported).filter((name) => !tests.includes(use(name)))).toEqual([]);
});
