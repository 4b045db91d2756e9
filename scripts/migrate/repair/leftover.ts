import type { Client } from "pg";
import type { Leftover } from "../../core/leftover.ts";

/** Leftover of a crash in a database. Its action needs the deployment lock and no open transaction. Safe to repeat. */
export type DatabaseLeftover = Leftover<
  "deployer" | "invalid-index" | "open-run" | "scratch-database" | "foreign-record",
  Client
>;
