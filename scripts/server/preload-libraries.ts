import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { leadsNowhere } from "../core/absent.ts";
import type { ServerSettings } from "./configuration.ts";
import type { SettingFault } from "./setting-faults.ts";

/**
 * Settings that name libraries to load. The value is the subfolder of the library folder in which names without a path
 * are looked up.
 */
const preloading: Readonly<Record<string, string>> = {
  shared_preload_libraries: "",
  session_preload_libraries: "",
  local_preload_libraries: "plugins",
};

const suffix = process.platform === "darwin" ? ".dylib" : ".so";

/**
 * Finds libraries in the settings that do not exist. With a missing library, the server does not start or refuses all
 * connections. Follows `expand_dynamic_library_name` of PostgreSQL 17 (src/backend/utils/fmgr/dfmgr.c).
 *
 * @param folder PostgreSQL's library folder (`$libdir`)
 */
export async function missingLibraries(settings: ServerSettings, folder: string): Promise<SettingFault[]> {
  // With this setting, only the server knows where a name is looked up.
  if (settings.dynamic_library_path !== undefined) return [];
  const faults: SettingFault[] = [];
  for (const [name, below] of Object.entries(preloading)) {
    for (const library of librariesIn(settings[name] ?? "")) {
      const path = library.includes("/") ? library.replace(/^\$libdir(?=\/)/, folder) : join(folder, below, library);
      if ((await isAbsent(path)) && (await isAbsent(path + suffix)))
        faults.push({ name, reason: `names the library ${basename(path)}, which is not in ${dirname(path)}` });
    }
  }
  return faults;
}

/**
 * Parses a list as PostgreSQL does: separated by commas, with optional spaces. A name with one of these is in double
 * quotes.
 */
function librariesIn(list: string): string[] {
  return [...list.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/g)]
    .map(([, quoted, bare = ""]) => quoted?.replaceAll('""', '"') ?? bare.trim())
    .filter((name) => name !== "");
}

/**
 * Returns true if no file is at the path. Returns false if that is unknown, because the server may see more than this
 * process.
 */
async function isAbsent(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    return leadsNowhere(error);
  }
}
