import type { Client } from "pg";

/** Kinds of leftovers that a crash can cause in a database. */
export type RepairKind = "deployer" | "invalid-index" | "open-run" | "scratch-database" | "foreign-record";

/** A leftover that was found. */
export interface RepairFinding {
  kind: RepairKind;
  /** Description of the leftover, for people. */
  found: string;
  /** Description of the repair; undefined if there is none. */
  action?: string;
  /** Steps for a person, if something is wrong that no action repairs. */
  advice?: string;
  /** Performs the repair, with the deployment lock and outside a transaction. Safe to repeat. */
  act?: (client: Client) => Promise<void>;
}
