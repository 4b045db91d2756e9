/**
 * Holds a scratch cluster in a container until the process is ended. Prints the owner's label, which is its argument,
 * and waits.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { withContainerCluster } from "../../../../scripts/scratch/container-cluster.ts";

const [owner = ""] = process.argv.slice(2);
const request = { major: 17, extensions: ["vector"], settings: {}, memoryMb: 32 };
await withContainerCluster(request, { owner: { project: "test", stack: "test", owner } }, async () => {
  process.stdout.write(`${owner}\n`);
  await sleep(600_000);
});
