import type { Client } from "pg";

/** What a crash can leave in a database. */
export type RepairKind = "deployer" | "invalid-index" | "open-run" | "scratch-database" | "foreign-record";

/** One thing that was found. */
export interface RepairFinding {
  kind: RepairKind;
  /** What is there, in words for a person. */
  found: string;
  /** What repairing does about it; undefined: nothing. */
  action?: string;
  /** What a person is to look at or to type, where nothing is done about something that is wrong. */
  advice?: string;
  /** Does it, with the deployment lock, in no transaction. Safe to repeat. */
  act?: (client: Client) => Promise<void>;
}
