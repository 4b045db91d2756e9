/** Holds a scratch cluster until the process is ended. Prints the cluster's folder, and waits. */
import { setTimeout as sleep } from "node:timers/promises";
import { withScratchCluster } from "../../../../scripts/scratch/cluster.ts";

await withScratchCluster({ major: 17, extensions: [], settings: {}, memoryMb: 32 }, async ({ superuser }) => {
  process.stdout.write(`${superuser.host}\n`);
  await sleep(600_000);
});
