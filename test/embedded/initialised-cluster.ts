import { join } from "node:path";
import { inject } from "vitest";
import { serverAccount } from "../../scripts/server/account.ts";
import { installBinaries } from "../../scripts/server/binaries.ts";
import { initialise } from "../../scripts/server/cluster.ts";
import { copyPrepared } from "../support/prepared.ts";

/**
 * Copies a cluster as it is between `initdb` and the first start of a server. It costs a tenth of `initdb`, for tests
 * that are not about the creation of a server.
 *
 * @param home folder that contains the binaries
 * @param dataDirectory path of the copy, which must not exist yet
 * @param password password of the superuser
 */
export async function copyInitialisedCluster(home: string, dataDirectory: string, password: string): Promise<void> {
  await copyPrepared(join(inject("scratch"), "clusters"), `initialised-${password}`, dataDirectory, async (folder) => {
    await initialise(await installBinaries(home), folder, password, await serverAccount(process.getuid?.()));
  });
}
