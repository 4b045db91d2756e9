import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleHealthServer, digestOfFiles } from "./health-server.ts";

// `node bundle-health-server.ts FOLDER`: writes the bundle of the health container, and the list of its sources.
const root = join(import.meta.dirname, "..", "..");
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: bundle-health-server.ts FOLDER");
await mkdir(folder, { recursive: true });
const files = await bundleHealthServer(root, folder);
await writeFile(join(folder, "sources.json"), JSON.stringify({ files, digest: await digestOfFiles(files) }));
