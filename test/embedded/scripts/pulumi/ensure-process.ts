// Ensures the engine in a separate process: `node ensure-process.ts PROJECT`. Prints progress and result as JSON lines.
import { ensureEngine } from "../../../../scripts/pulumi/ensure-engine.ts";

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const { source, pulumi } = await ensureEngine({ root: process.argv[2] ?? ".", onProgress: say });
say({ source, pulumi });
