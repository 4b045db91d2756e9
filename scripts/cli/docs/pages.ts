import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { extensionCatalog } from "../../model/extension-catalog.ts";
import { settingsReference } from "../../settings/settings.ts";
import { commandLine } from "../commands/command-line.ts";
import { betweenMarkers, commandReference, extensionReference, settingReference } from "./reference.ts";

/** Pages with a generated part. */
const pages = [
  { file: "scripts/README.md", marker: "commands", generate: async () => commandReference(await commandLine()) },
  { file: "infra/README.md", marker: "settings", generate: async () => settingReference(settingsReference()) },
  {
    file: "infra/images/postgres/README.md",
    marker: "extensions",
    generate: async () => extensionReference(extensionCatalog),
  },
];

/** Returns the pages whose generated part is outdated. With `write`, updates them. */
export async function outdatedPages(root: string, write: boolean): Promise<string[]> {
  const outdated: string[] = [];
  for (const { file, marker, generate } of pages) {
    const path = join(root, file);
    const text = await readFile(path, "utf8");
    const wanted = betweenMarkers(text, marker, await generate());
    if (text === wanted) continue;
    outdated.push(file);
    if (write) await writeFile(path, wanted);
  }
  return outdated;
}
