import { chmod, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { table } from "../../scripts/commands/cli/output.ts";
import { ensureEngine } from "../../scripts/engine/ensure-engine.ts";
import { cloneRoot } from "../clone-root.ts";
import type { Measurement } from "./measurement.ts";
import { benchUp } from "./up.ts";

/*
 * `npm run bench`: how long things take here and now, next to what they are measured against in the same run. Never part of `npm test`: a
 * busy machine must not fail anybody's change.
 */

const scratch = await mkdtemp(join(tmpdir(), "pgroundwork-bench-"));
// The account that PostgreSQL runs as under root has to pass.
await chmod(scratch, 0o755);
try {
  const engine = await ensureEngine({ root: cloneRoot, onProgress: ({ step }) => process.stderr.write(`${step}\n`) });
  const measurements: Measurement[] = await benchUp(scratch, engine);
  console.log(
    `${availableParallelism()} processors, Node ${process.version}, engine ${engine.version} (${engine.source})\n`,
  );
  console.log(table(["what", "here", "against", "ratio", "target", ""], measurements.map(row)));
} finally {
  await rm(scratch, { recursive: true, force: true });
}

function row({ what, here, against, ratio, target, met }: Measurement): string[] {
  return [what, here, against ?? "", ratio === undefined ? "" : `${ratio.toFixed(2)}×`, target, met ? "met" : "MISSED"];
}
