import { NotKnown, type Observer } from "../connection/observer.ts";
import { isFromServer } from "../connection/server-fault.ts";
import type { Finding } from "../core/finding.ts";
import type { TableFacts } from "./tables.ts";

/** Columns that identify a row of a finding, or what a query of the project returned. Long values are cut. */
export type Sample = Readonly<Record<string, string | null>>;

/** A problem of the data that was found. */
export interface IntegrityFinding extends Finding {
  /** Number of rows with the problem; null if it is not one of rows, or if they were not counted. */
  count: number | null;
  /** Some of these rows. */
  samples: Sample[];
}

/** Result of examining a subject. Nothing is wrong with it only if both lists are empty and something was examined. */
export interface Examined {
  /** Number of objects that were examined: tables, constraints, indexes, queries. */
  examined: number;
  findings: IntegrityFinding[];
  /** Reasons why something could not be examined. */
  unknown: string[];
  /** Reason why nothing could be examined, which is not a matter of rights or time. */
  notAvailable?: string;
  /** Adds a fact to the result, for example since when the server counts. */
  note?: string;
}

/** A kind of integrity that is examined in a database. */
export interface Subject {
  /** Name in options and in JSON, in kebab case. */
  name: string;
  /** Names what is examined, in the plural. */
  title: string;
  examine(observer: Observer, survey: Survey): Promise<Examined>;
}

/** Data that subjects share. */
export interface Survey {
  /** Tables of the database, with the reason why the role cannot read all of their rows. */
  tables: readonly TableFacts[];
  /** Largest number of samples of a finding. */
  sampleLimit: number;
  /** Numbers of rows, which the subject `rows` fills in. */
  rows: Map<string, number>;
  /** Aborts between two queries. */
  signal: AbortSignal | undefined;
}

/** Title of findings of damaged indexes (XX002). The rows themselves may be sound. */
export const indexDamage = "An index is damaged";

/** Returns the title and hint of damage that the server reports while it reads; undefined for any other error. */
function damageOf(error: unknown): { title: string; hint: string } | undefined {
  if (!isFromServer(error)) return undefined;
  const code = String(error.code);
  if (code === "XX002") return { title: indexDamage, hint: "Rebuild it with REINDEX INDEX, and check the disk." };
  if (/^(XX|58)/.test(code))
    return {
      title: "Data on the server's disk is damaged or cannot be read",
      hint: "First copy the data directory. Then check the disk and the server's log, and restore a backup.",
    };
  return undefined;
}

/**
 * Reads one object for a subject. What the server refuses becomes unknown, and what it reports as damaged becomes a
 * finding.
 *
 * @param object qualified and quoted
 * @param read returns the findings
 */
export async function examineObject(
  into: Examined,
  survey: Survey,
  object: string,
  read: () => Promise<IntegrityFinding[]>,
): Promise<void> {
  survey.signal?.throwIfAborted();
  try {
    into.findings.push(...(await read()));
    into.examined++;
  } catch (error) {
    if (error instanceof NotKnown) {
      into.unknown.push(`${object}: ${error.message}`);
      return;
    }
    const damage = damageOf(error);
    if (damage === undefined || !isFromServer(error)) throw error;
    into.examined++;
    into.findings.push({
      code: "damaged-data",
      level: "error",
      title: damage.title,
      detail: `Reading ${object} failed: ${error.message} (SQLSTATE ${error.code})`,
      objects: [object],
      hint: damage.hint,
      count: null,
      samples: [],
    });
  }
}

/** Returns an empty result. */
export function nothingExamined(): Examined {
  return { examined: 0, findings: [], unknown: [] };
}

/** Names some objects for a message. */
export function listed(names: readonly string[], limit = 5): string {
  return names.slice(0, limit).join(", ") + (names.length > limit ? ` and ${names.length - limit} more` : "");
}

/** Formats a number with its noun. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : several}`;
}
