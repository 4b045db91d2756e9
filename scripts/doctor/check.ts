import type { Observer } from "../connection/observer.ts";
import type { FindingLevel } from "../core/finding.ts";
import type { Known } from "../core/known.ts";
import type { StatementDay } from "../health/history.ts";
import type { Fix } from "./fix.ts";
import type { Thresholds } from "./thresholds.ts";

/** A question to a server about one kind of problem. */
export interface Check {
  /** Stem of its files (query, page, test), and the code of its findings. */
  name: string;
  /** Names the problem, without values. */
  title: string;
  /** `server`: asked once. `database`: asked in each database. */
  scope: "server" | "database";
  /**
   * Looks for the problem.
   *
   * @throws NotKnown if nothing about it can be read
   */
  find(observer: Observer, thresholds: Thresholds, records: Records): Promise<Answer>;
}

/** Values that were recorded earlier. */
export interface Records {
  /** Use of the server's statements on past days, from `pgw health serve`. */
  statements: Known<{ days: readonly StatementDay[] }>;
}

/** Answer of a check. It found no problem only if both lists are empty. */
export interface Answer {
  problems: Problem[];
  /** Reasons why something could not be checked. */
  unknown?: string[];
}

/** A problem that a check found, before it becomes a finding. */
export interface Problem {
  /** Name that identifies it within its check and database, also after a restore: no object ids, no process ids. */
  object: string;
  level: FindingLevel;
  detail: string;
  /** Default: `object` alone. */
  objects?: string[];
  hint?: string;
  fix?: Fix;
}
