import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import manifest from "../../package.json" with { type: "json" };

/** Origin of a change, written into every row of the kit's ledgers. The server adds the role. */
export interface Provenance {
  /** UUID of a whole operation, the same as in its log lines. */
  runId: string;
  /** Name of the machine that ran the kit. */
  host: string;
  kitVersion: string;
}

/** Returns the provenance of this process for one operation. */
export function provenance(runId: string = randomUUID()): Provenance {
  return { runId, host: hostname(), kitVersion: manifest.version };
}
