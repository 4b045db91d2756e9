import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { installPackage } from "./installed.ts";

/** Modules that programs import from the installed package, by subpath. */
interface EntryPoints {
  "": typeof import("../../../../scripts/index.ts");
  "/kysely": typeof import("../../../../scripts/client/kysely.ts");
}

/** Functions and classes of `pgroundwork`. */
export type Kit = EntryPoints[""];

/**
 * Imports an entry point of the installed package. Tests call its functions as `kit.name(…)`, which a test of all
 * exports looks for.
 */
export async function importPackage<Subpath extends keyof EntryPoints>(
  subpath: Subpath,
): Promise<EntryPoints[Subpath]> {
  const { linked } = await installPackage();
  const path = createRequire(join(linked, "program.js")).resolve(`pgroundwork${subpath}`);
  return (await import(pathToFileURL(path).href)) as EntryPoints[Subpath];
}
