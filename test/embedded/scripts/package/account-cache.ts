import { existsSync } from "node:fs";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import { cacheFolder } from "../../../../scripts/pulumi/cache-folder.mjs";
import { giveToPackageAccount } from "../../../support/package-account.ts";
import { prepareOnce } from "../../../support/prepared.ts";

/**
 * Returns the cache folder (XDG_CACHE_HOME) of the account that runs the package, which cannot enter the one of the
 * tests' user. It has a copy of the engine, unless that is on PATH. All projects of a run share it, as those of a user
 * do: Node.js keeps compiled code there.
 *
 * @param engine variables of the engine
 */
export async function accountCache(engine: NodeJS.ProcessEnv): Promise<string> {
  return prepareOnce(join(inject("scratch"), "prepared"), "package cache", async (made) => {
    const [from, to] = [cacheFolder({ ...process.env, ...engine }), join(made, "pgroundwork")].map((cache) =>
      join(cache, "engine"),
    ) as [string, string];
    await mkdir(join(made, "pgroundwork"), { recursive: true });
    if (existsSync(from)) await cp(from, to, { recursive: true });
    await giveToPackageAccount(made);
  });
}
