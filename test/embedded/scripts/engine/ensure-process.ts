// A process of its own that ensures the engine: `node ensure-process.ts <clone>`; progress and result as JSON lines.
import { ensureEngine } from "../../../../scripts/engine/ensure-engine.ts";

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const { source, pulumi } = await ensureEngine({ root: process.argv[2] ?? ".", onProgress: say });
say({ source, pulumi });
