import { setTimeout as sleep } from "node:timers/promises";
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
  /** True if the situation is one of other objects, too. They are left out. */
  othersToo?: true;
  /** True if no statement can remove it. */
  isWithoutFix?: true;
  /** False if the statements that undo the fix cannot make the same situation again, such as work that was lost. */
  isRevertible?: false;
}

/** Repeats a query until its only row has the value true in the only column. */
export async function until(client: pg.Client, query: string): Promise<void> {
  const end = Date.now() + 10_000;
  while (Date.now() < end) {
    const { rows } = await client.query({ text: query, rowMode: "array" });
    if (rows[0]?.[0] === true) return;
    await sleep(20);
  }
  throw new Error(`not true within 10 s: ${query}`);
}
