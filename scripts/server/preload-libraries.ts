import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { leadsNowhere } from "../files/absent.ts";
import type { ServerSettings } from "./configuration.ts";
import type { SettingFault } from "./setting-faults.ts";

/** Settings that name libraries to load, each with where a name without a folder is looked for below the libraries' folder. */
const preloading: Readonly<Record<string, string>> = {
  shared_preload_libraries: "",
  session_preload_libraries: "",
  local_preload_libraries: "plugins",
};

const suffix = process.platform === "darwin" ? ".dylib" : ".so";

/**
 * The libraries that settings would have the server load and that are not there: with one, it does not start, or lets nobody in. Follows
 * `expand_dynamic_library_name` of PostgreSQL 17 (src/backend/utils/fmgr/dfmgr.c).
 *
 * @param folder where PostgreSQL keeps its libraries (`$libdir`)
 */
export async function missingLibraries(settings: ServerSettings, folder: string): Promise<SettingFault[]> {
  // Names are looked for elsewhere then, and where that is may hold what only the server can tell.
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

/** A list as PostgreSQL reads it: commas between, blanks around, double quotes where a name holds either. */
function librariesIn(list: string): string[] {
  return [...list.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/g)]
    .map(([, quoted, bare = ""]) => quoted?.replaceAll('""', '"') ?? bare.trim())
    .filter((name) => name !== "");
}

/** False also where it cannot be told: the server may see more than this process. */
async function isAbsent(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    return leadsNowhere(error);
  }
}
