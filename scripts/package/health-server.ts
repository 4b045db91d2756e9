import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { rolldown } from "rolldown";

/** Name of the bundle of the health server. */
export const healthServerFile = "health-server.mjs";

/**
 * Bundles the program of the health container into one file without dependencies. The same sources give the same bytes,
 * in every folder.
 *
 * @param root project directory
 * @param folder folder of the bundle
 * @returns absolute paths of the bundled files
 */
export async function bundleHealthServer(root: string, folder: string): Promise<string[]> {
  const bundle = await rolldown({
    input: join(root, "scripts/health/server/container.ts"),
    cwd: root,
    platform: "node",
    // pg loads it only if a program asks for the native driver.
    external: ["pg-native"],
    logLevel: "warn",
  });
  const { output } = await bundle.write({
    ...{ dir: folder, format: "esm", entryFileNames: healthServerFile, codeSplitting: false },
    // Comments would name folders of this machine.
    ...{ minify: true, comments: false },
  });
  await bundle.close();
  return output.flatMap((each) => (each.type === "chunk" ? each.moduleIds : [])).filter((id) => id.startsWith("/"));
}

/** Returns the SHA-256 of files, in hex. */
export async function digestOfFiles(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(await readFile(path));
  return hash.digest("hex");
}
