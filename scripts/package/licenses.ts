import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "rolldown";

/** Name of the file in `dist` with the licenses of the packages that are bundled. */
const licensesFile = "licenses.txt";

/** Folder of the package that a bundled module belongs to. */
const packageFolder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/** Writes the licenses of all bundled packages to a file, because copies of their code must contain them. */
export const collectLicenses: Plugin = {
  name: "collect-licenses",
  async generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap((output) => (output.type === "chunk" ? output.moduleIds : []));
    this.emitFile({ type: "asset", fileName: licensesFile, source: textOf(await licensesOf(modules)) });
  },
};

/** Adds the licenses of the packages of further modules to the file in `dist`. */
export async function addLicenses(dist: string, modules: readonly string[]): Promise<void> {
  const path = join(dist, licensesFile);
  const present = (await readFile(path, "utf8")).trim().split(separator);
  await writeFile(path, textOf([...present, ...(await licensesOf(modules))]));
}

const separator = `\n\n${"-".repeat(80)}\n\n`;

function textOf(licenses: readonly string[]): string {
  return `${[...new Set(licenses)].sort().join(separator)}\n`;
}

async function licensesOf(modules: readonly string[]): Promise<string[]> {
  const folders = new Set(modules.flatMap((module) => packageFolder.exec(module) ?? []));
  return Promise.all([...folders].map(licenseOf));
}

async function licenseOf(folder: string): Promise<string> {
  const text = await readFile(join(folder, "package.json"), "utf8");
  const { name, version, license } = JSON.parse(text) as { name: string; version: string; license?: string };
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  const heads = [`${name} ${version}`, ...(license === undefined ? [] : [`License: ${license}`])];
  return [...heads, ...texts.map((each) => each.trim())].join("\n\n");
}
