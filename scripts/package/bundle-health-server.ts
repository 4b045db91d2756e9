import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeSources } from "../core/bundle-sources.ts";
import { bundleHealthServer } from "./health-server.ts";

// `node bundle-health-server.ts FOLDER`: writes the bundle of the health container, and the list of its sources.
const root = join(import.meta.dirname, "..", "..");
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: bundle-health-server.ts FOLDER");
await mkdir(folder, { recursive: true });
writeSources(folder, await bundleHealthServer(root, folder));
