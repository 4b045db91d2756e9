import { runImport } from "../../../../scripts/import/run/run-import.ts";
import { openSource } from "../../../../scripts/import/source/open-source.ts";
import { limitYoungHeap } from "../../../../scripts/import/young-heap.ts";

/*
 * Imports in a process of its own, which ends itself with SIGKILL at a point: after a batch (`batch 3`), or when a
 * phase begins (`phase verify`). With the point `memory` it prints the most memory that it used, in KB. Arguments: the
 * options as JSON, and the point.
 */
limitYoungHeap();
const [options = "{}", point = ""] = process.argv.slice(2);
const { kind, path, ...rest } = JSON.parse(options);
const source = await openSource(kind, path);
const endAt = (reached: string) => {
  if (reached === point) process.kill(process.pid, "SIGKILL");
};
const { report } = await runImport({
  ...rest,
  source,
  afterBatch: async (batch) => endAt(`batch ${batch}`),
  onEvent: (event) => {
    if (event.kind === "phase") endAt(`phase ${event.name}`);
    if (event.kind === "progress" && event.rows > 0) endAt(`progress ${event.name}`);
  },
});
await source.close();
process.stdout.write(point === "memory" ? `${report.outcome} ${process.resourceUsage().maxRSS}` : report.outcome);
