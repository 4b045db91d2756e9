import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { installScratchBinaries } from "../../scripts/scratch/embedded-binaries.ts";
import { initialise } from "../../scripts/scratch/embedded-cluster.ts";
import { serverAccount } from "../../scripts/server/account.ts";
import { prepareOnce } from "../support/prepared.ts";

const run = promisify(execFile);

/**
 * Installs the server's programs in a folder that contains servers, as the first `up` and the first trial in a scratch
 * cluster do. The files are hard links to those of one installation, which costs a twentieth of the copy. Nothing
 * writes to them.
 *
 * @param scratch folder of the test run
 * @param dataHome folder that contains servers; must not exist yet
 */
export async function linkBinaries(scratch: string, dataHome: string): Promise<void> {
  const installed = await prepareOnce(join(scratch, "installed"), "postgresql", async (folder) => {
    const account = await serverAccount(process.getuid?.());
    const binaries = await installScratchBinaries(folder);
    // Leaves the cluster that scratch clusters are copies of.
    const first = await mkdtemp(join(folder, "first-"));
    if (account !== undefined) await run("chown", [`${account.uid}:${account.gid}`, first]);
    await initialise(binaries, first, account);
    await rm(first, { recursive: true });
  });
  await mkdir(dataHome, { mode: 0o755 });
  await run("cp", ["-al", join(installed, "postgresql"), dataHome]);
}
