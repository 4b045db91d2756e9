import type pg from "pg";
import type { Thresholds } from "../../../../scripts/doctor/thresholds.ts";

/** Test data of one check: its file has the check's name. */
export interface CheckCase {
  /** Limits that a small test can reach. */
  thresholds?: Partial<Thresholds>;
  faults: Fault[];
  /** Situations that look similar and are no problem. */
  nearMisses: Situation[];
}

/** A state of the database `fault`. */
export interface Situation {
  title: string;
  /** SQL of the superuser with the empty schema `shop` first in the search path. Statements run one by one. */
  setup: string[] | ((open: () => Promise<pg.Client>) => Promise<void>);
  /** SQL that removes objects outside of the schema. */
  teardown?: string[];
  thresholds?: Partial<Thresholds>;
  /** Reason that the check must give instead of an answer. */
  unknown?: RegExp;
}

/** A situation with a problem. */
export interface Fault extends Situation {
  /** Objects of the findings, as in their keys. */
  finds: string[];
  /** True if no statement can remove it. */
  isWithoutFix?: true;
  /** False if the statements that undo the fix cannot make the same situation again, such as work that was lost. */
  isRevertible?: false;
}
