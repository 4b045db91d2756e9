/** Errors of one kind that the server logged. */
export interface ErrorCount {
  /** `ERROR`, `FATAL` (the session ended) or `PANIC` (all sessions ended). */
  severity: string;
  /** First two characters of the SQLSTATE: `23` is an integrity constraint violation. */
  sqlstateClass: string;
  /** Whole SQLSTATE, if it is one of {@link distinguished}; else null. */
  sqlstate: string | null;
  /** Database of the session; null for a process of the server, and for a session that has not begun. */
  database: string | null;
  count: number;
  /** Time at which the last one was read. */
  lastAt: Date;
}

/** Errors since the first reading. */
export interface ErrorCounts {
  countedSince: Date;
  counts: ErrorCount[];
  /** True if the log has more that was not read yet. */
  isBehind: boolean;
}

/** PostgreSQL's classes of SQLSTATEs. Functions can make up others. The image's error-count has the same. */
export const classes: ReadonlySet<string> = new Set(
  (
    "00 01 02 03 08 09 0A 0B 0F 0L 0P 0Z 10 20 21 22 23 24 25 26 27 28 2B 2D 2F 34 38 39 3B 3D 3F 40 42 44 53 54 55 57 " +
    "58 72 F0 HV P0 XX"
  ).split(" "),
);

/** SQLSTATEs that are told apart from others of their class. The image's error-count has the same. */
export const distinguished: ReadonlySet<string> = new Set(
  "25P03 25P04 53000 53100 53200 53300 53400 57P01 57P02 57P03 57P04 57P05 58000 58030 58P01 58P02 XX000 XX001 XX002".split(
    " ",
  ),
);

/** Class and database of errors beyond the limits. */
const other = "other";
/** Databases and kinds that are told apart: clients can make up names, and functions SQLSTATEs. */
const mostDatabases = 100;
const mostKinds = 500;

/** Counts of errors by kind, of which there is a limited number. */
export class ErrorTally {
  readonly #counts = new Map<string, ErrorCount>();
  readonly #databases = new Set<string>();

  /** Counts of all kinds. */
  get counts(): ErrorCount[] {
    return [...this.#counts.values()].map((each) => ({ ...each }));
  }

  /**
   * Counts one error.
   *
   * @param error `isLogin`: its session has not begun, so that anyone can have made up the name of its database
   */
  add(error: { severity: string; code: string; database: string | null; isLogin: boolean }): void {
    const { severity, code } = error;
    const kind = {
      severity,
      sqlstateClass: classes.has(code.slice(0, 2)) ? code.slice(0, 2) : other,
      sqlstate: distinguished.has(code) ? code : null,
      database: this.#databaseOf(error),
    };
    const key = JSON.stringify(Object.values(kind));
    const isKept = this.#counts.has(key) || this.#counts.size < mostKinds;
    const kept = isKept ? kind : { ...kind, database: other };
    const keptKey = JSON.stringify(Object.values(kept));
    const count = this.#counts.get(keptKey) ?? { ...kept, count: 0, lastAt: new Date() };
    this.#counts.set(keptKey, { ...count, count: count.count + 1, lastAt: new Date() });
  }

  #databaseOf({ database, isLogin }: { database: string | null; isLogin: boolean }): string | null {
    if (database === null || this.#databases.has(database)) return database;
    if (isLogin) return null;
    if (this.#databases.size >= mostDatabases) return other;
    this.#databases.add(database);
    return database;
  }
}

/** Time in ms after which an error counts no more, as in the alerts. */
const recentMs = 900_000;

/** FATAL errors of clients, of time limits, and of a server that starts or stops, as in PostgreSQLFatalErrors. */
const ordinaryFatal = /^(?:(?:08|0A|22|28|3D|42|55)|25P0[34]|57P0[1345])/;

type ErrorLevel = "ok" | "warning" | "critical";

/** Judges errors of one kind as the alerts of infra/monitoring/alerts.yml do. */
function levelOf({ severity, sqlstateClass, sqlstate }: ErrorCount): ErrorLevel {
  if (severity === "PANIC" || sqlstate === "XX001" || sqlstate === "XX002") return "critical";
  if (sqlstateClass === "XX" || sqlstateClass === "53") return "warning";
  return severity === "FATAL" && !ordinaryFatal.test(sqlstate ?? sqlstateClass) ? "warning" : "ok";
}

/**
 * Judges the errors of the last 15 minutes.
 *
 * @param at time of the snapshot
 */
export function judgeErrors({ counts, countedSince }: ErrorCounts, at: Date): [ErrorLevel, string] {
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const since = `${total} in the log since ${countedSince.toISOString()}`;
  const recent = counts.filter(({ lastAt }) => at.getTime() - lastAt.getTime() < recentMs);
  const notable = recent.filter((each) => levelOf(each) !== "ok");
  if (notable.length === 0) return ["ok", `${since}, no alarming one in the last 15 min`];
  const named = notable.map(({ severity, sqlstateClass, sqlstate, database, lastAt }) => {
    const place = database === null ? "" : ` in database ${database}`;
    return `${severity} ${sqlstate ?? sqlstateClass}${place} at ${lastAt.toISOString()}`;
  });
  const isCritical = notable.some((each) => levelOf(each) === "critical");
  return [isCritical ? "critical" : "warning", `${named.join(", ")}; ${since}`];
}
