import { join } from "node:path";
import { rolldown } from "rolldown";
import { healthServerFile } from "../core/bundle-sources.ts";

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
