import { existsSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { cloneRoot, stackOf } from "../../infra/provider/inputs/stack-of.ts";
import { home } from "../../infra/provider/resources/servers/server-properties.ts";
import { serverAccount } from "../../scripts/server/account.ts";
import { installBinaries } from "../../scripts/server/binaries.ts";
import { initialise } from "../../scripts/server/cluster.ts";
import { serverDirectory, serverFolder } from "../../scripts/server/locations.ts";
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

/** Copies such a cluster to where a resource of the type EmbeddedServer looks for it, if its folder does not exist. */
export async function copyClusterOf(urn: string, password: string): Promise<void> {
  const { project, stack } = stackOf(urn);
  const folder = serverFolder(home(), cloneRoot, project, stack);
  if (!existsSync(folder)) await copyInitialisedCluster(home(), serverDirectory(folder).data, password);
}
