import { createHash } from "node:crypto";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Connection } from "../connection/connection.ts";
import { readFileIfThere, writeFileAtomically } from "../core/atomic-file.ts";
import { type HealthLevel, isTroubled, type Subject, subjectLabel } from "./judge.ts";
import type { Observation } from "./monitor.ts";
import type { StatementGrowth } from "./rates.ts";

/** The values of a snapshot that the history keeps. null: not known. */
export interface HistoryEntry {
  at: string;
  level: HealthLevel;
  systemIdentifier: string | null;
  role: "primary" | "replica" | null;
  connections: number | null;
  databaseBytes: number | null;
  diskFreeBytes: number | null;
  transactionsPerSecond: number | null;
  cacheHitRatio: number | null;
  meanStatementMs: number | null;
  /** Subjects with a warning, or worse. */
  troubled: string[];
}

/** Space at the end of one hour, in bytes. null: not known. */
export interface SpaceHour {
  /** Hours since 1970. */
  hour: number;
  diskFreeBytes: number | null;
  databaseBytes: number | null;
}

/** Use of a statement on one day. */
export interface StatementDay {
  /** Days since 1970. */
  day: number;
  /** As in pg_stat_statements. */
  id: string;
  calls: number;
  totalMs: number;
}

const number = z.number().nullable();
const file = z.strictObject({
  version: z.literal(1),
  /** Hour since 1970, probes in it, answered ones. */
  hours: z.array(z.tuple([z.number(), z.number(), z.number()])),
  statements: z
    .array(z.strictObject({ day: z.number(), id: z.string(), calls: z.number(), totalMs: z.number() }))
    .default([]),
  space: z.array(z.strictObject({ hour: z.number(), diskFreeBytes: number, databaseBytes: number })).default([]),
  entries: z.array(
    z.strictObject({
      at: z.iso.datetime(),
      level: z.enum(["ok", "warning", "critical", "unknown"]),
      systemIdentifier: z.string().nullable(),
      role: z.enum(["primary", "replica"]).nullable(),
      ...{ connections: number, databaseBytes: number, diskFreeBytes: number },
      ...{ transactionsPerSecond: number, cacheHitRatio: number, meanStatementMs: number },
      troubled: z.array(z.string()).default([]),
    }),
  ),
});

const hourMs = 3_600_000;
/** Days of statements that are kept, and statements of each day. */
const [statementDays, statementsPerDay] = [15, 50];
/** Hours over which uptime is computed, and hours that must have been measured before it is known. */
const [uptimeHours, leastHours] = [30 * 24, 24];

/** Values of past snapshots and the share of answered probes, in a file of bounded size that survives restarts. */
export class History {
  readonly #path: string | undefined;
  readonly #most: number;
  #hours: [hour: number, asked: number, answered: number][] = [];
  #entries: HistoryEntry[] = [];
  #statements: StatementDay[] = [];
  #space: SpaceHour[] = [];

  /**
   * Reads the file. One that is damaged is kept under another name, and a new one begins.
   *
   * @param path undefined: in memory only
   * @param most entries to keep
   */
  constructor(path: string | undefined, most: number) {
    this.#path = path;
    this.#most = most;
    const text = path === undefined ? undefined : readFileIfThere(path);
    if (path === undefined || text === undefined) return;
    const parsed = file.safeParse(parseJson(text));
    if (!parsed.success) {
      renameSync(path, `${path}.damaged`);
      return;
    }
    this.#hours = parsed.data.hours;
    this.#statements = parsed.data.statements;
    this.#space = parsed.data.space;
    this.#entries = parsed.data.entries.slice(-most);
  }

  /** Entries, oldest first. */
  get entries(): readonly HistoryEntry[] {
    return this.#entries;
  }

  /** Adds a snapshot and whether the server answered, and writes the file. */
  add({ snapshot: { takenAt, parts }, rates, status, statements: grown }: Observation, answered: boolean): void {
    const hour = Math.floor(takenAt.getTime() / hourMs);
    const current = this.#hours.find(([each]) => each === hour);
    if (current === undefined) this.#hours.push([hour, 1, answered ? 1 : 0]);
    else [current[1], current[2]] = [current[1] + 1, current[2] + (answered ? 1 : 0)];
    this.#hours = this.#hours.filter(([each]) => each > hour - uptimeHours);
    const databaseBytes = parts.sizes.known ? parts.sizes.value.total : null;
    const diskFreeBytes = parts.host.known ? parts.host.value.diskFreeBytes : null;
    this.#space = this.#space.filter((each) => each.hour > hour - uptimeHours && each.hour !== hour);
    this.#space.push({ hour, diskFreeBytes, databaseBytes });
    this.#entries.push({
      at: takenAt.toISOString(),
      level: status.level,
      systemIdentifier: parts.server.known ? parts.server.value.systemIdentifier : null,
      role: parts.server.known ? parts.server.value.role : null,
      connections: parts.connections.known ? parts.connections.value.total : null,
      databaseBytes,
      diskFreeBytes,
      transactionsPerSecond: rates.transactionsPerSecond,
      cacheHitRatio: rates.cacheHitRatio,
      meanStatementMs: rates.meanStatementMs,
      troubled: status.subjects.filter(isTroubled).map(subjectLabel),
    });
    this.#entries = this.#entries.slice(-this.#most);
    this.#addStatements(Math.floor(takenAt.getTime() / (24 * hourMs)), grown);
    if (this.#path === undefined) return;
    const [hours, space, statements, entries] = [this.#hours, this.#space, this.#statements, this.#entries];
    const content = { version: 1, hours, space, statements, entries };
    writeFileAtomically(this.#path, JSON.stringify(content));
  }

  #addStatements(day: number, grown: readonly StatementGrowth[]): void {
    for (const { id, calls, totalMs } of grown) {
      const known = this.#statements.find((each) => each.day === day && each.id === id);
      if (known === undefined) this.#statements.push({ day, id, calls, totalMs });
      else [known.calls, known.totalMs] = [known.calls + calls, known.totalMs + totalMs];
    }
    const today = this.#statements.filter((each) => each.day === day).sort((a, b) => b.totalMs - a.totalMs);
    const earlier = this.#statements.filter((each) => each.day < day && each.day > day - statementDays);
    this.#statements = [...earlier, ...today.slice(0, statementsPerDay)];
  }

  /** Space of the last 30 days, oldest hour first. */
  get space(): readonly SpaceHour[] {
    return this.#space;
  }

  /**
   * Returns the time of the first snapshot since which a subject has had a warning, or worse, in each one. If that is
   * the oldest entry, it began then or before. null if the last entry was well.
   */
  troubledSince(subject: Pick<Subject, "name" | "database">): string | null {
    const label = subjectLabel(subject);
    let since: string | null = null;
    for (const { at, troubled } of this.#entries.toReversed()) {
      if (!troubled.includes(label)) break;
      since = at;
    }
    return since;
  }

  /** Returns the share of answered probes in the last 30 days, 0 to 1; null until 24 hours were measured. */
  uptime(now: Date): number | null {
    const first = Math.floor(now.getTime() / hourMs) - uptimeHours;
    const hours = this.#hours.filter(([hour]) => hour > first);
    if (hours.length < leastHours) return null;
    const sum = (index: 1 | 2) => hours.reduce((total, each) => total + each[index], 0);
    return sum(2) / sum(1);
  }
}

/** Returns the file of the history of a server. Its name has no readable part of the connection. */
export function historyFile(root: string, { host, port, database }: Connection): string {
  const name = createHash("sha256")
    .update(JSON.stringify([host, port, database]))
    .digest("hex")
    .slice(0, 16);
  return join(root, ".pgroundwork", "health", `${name}.json`);
}

/**
 * Reads the use of statements from the text of a history.
 *
 * @returns undefined if there is none, or it is damaged
 */
export function statementDaysOf(text: string | undefined): StatementDay[] | undefined {
  const parsed = text === undefined ? undefined : file.safeParse(parseJson(text));
  return parsed?.success ? parsed.data.statements : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
