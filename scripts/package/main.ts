import { stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { buildPackage } from "./build.ts";

// `npm run package`: builds the tarball and prints its path and size.
const root = join(import.meta.dirname, "..", "..");
const tarball = await buildPackage(root, join(root, ".pgroundwork", "package", "files"));
const { size } = await stat(tarball);
process.stdout.write(`${relative(root, tarball)} (${Math.ceil(size / 1000)} kB)\n`);
