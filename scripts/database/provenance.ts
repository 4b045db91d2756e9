import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import manifest from "../../package.json" with { type: "json" };

/** Who changed a database: written into every row of the kit's ledgers. The role is the server's to say. */
export interface Provenance {
  /** One UUID through a whole operation, the same as in its log lines. */
  runId: string;
  /** Name of the machine that ran the kit. */
  host: string;
  kitVersion: string;
}

/** Of this process, for one operation. */
export function provenance(runId: string = randomUUID()): Provenance {
  return { runId, host: hostname(), kitVersion: manifest.version };
}
