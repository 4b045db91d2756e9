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
  const present = (await readFile(path, "utf8")).trim().split(separator).flatMap(licensesIn);
  await writeFile(path, textOf([...present, ...(await licensesOf(modules))]));
}

/** License of a package. */
interface License {
  /** Name, version, and the license's name. */
  of: string;
  text: string;
}

const separator = `\n\n${"-".repeat(80)}\n\n`;

/** Formats licenses. A text that several packages have, such as that of the Apache License, is there once. */
function textOf(licenses: readonly License[]): string {
  const texts = Map.groupBy(licenses, ({ text }) => text);
  const blocks = [...texts].map(([text, same]) => {
    const packages = [...new Set(same.map((each) => each.of))].sort();
    return [packages.join("\n"), ...(text === "" ? [] : [text])].join("\n\n");
  });
  return `${blocks.sort().join(separator)}\n`;
}

function licensesIn(block: string): License[] {
  const [packages = "", ...texts] = block.split("\n\n");
  return packages.split("\n").map((each) => ({ of: each, text: texts.join("\n\n") }));
}

async function licensesOf(modules: readonly string[]): Promise<License[]> {
  const folders = new Set(modules.flatMap((module) => packageFolder.exec(module) ?? []));
  return Promise.all([...folders].map(licenseOf));
}

async function licenseOf(folder: string): Promise<License> {
  const manifest = await readFile(join(folder, "package.json"), "utf8");
  const { name, version, license } = JSON.parse(manifest) as { name: string; version: string; license?: string };
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  const of = `${name} ${version}${license === undefined ? "" : ` (${license})`}`;
  return { of, text: texts.map((each) => each.replaceAll("\r\n", "\n").trim()).join("\n\n") };
}
