/** The table-level locks of PostgreSQL, weakest first. */
export const lockModes = [
  "AccessShareLock",
  "RowShareLock",
  "RowExclusiveLock",
  "ShareUpdateExclusiveLock",
  "ShareLock",
  "ShareRowExclusiveLock",
  "ExclusiveLock",
  "AccessExclusiveLock",
] as const;
export type LockMode = (typeof lockModes)[number];

/** Relations by oid, with the strongest lock that is held on each. */
export type HeldLocks = ReadonlyMap<number, LockMode>;

/** Effect of a lock on others: it blocks ordinary reads and writes, ordinary writes, or only other schema changes. */
export type LockEffect = "blocks reads and writes" | "blocks writes" | "blocks neither";

/** Returns the effect of a lock on other sessions. */
export function lockEffect(mode: LockMode): LockEffect {
  if (mode === "AccessExclusiveLock") return "blocks reads and writes";
  return isStronger(mode, "ShareUpdateExclusiveLock") ? "blocks writes" : "blocks neither";
}

/** Returns true if `mode` is stronger than `than`. */
export function isStronger(mode: LockMode, than: LockMode): boolean {
  return lockModes.indexOf(mode) > lockModes.indexOf(than);
}

/** Returns the strongest of the locks on each relation. */
export function strongest(rows: Iterable<readonly [number, LockMode]>): Map<number, LockMode> {
  const held = new Map<number, LockMode>();
  for (const [oid, mode] of rows) {
    const known = held.get(oid);
    if (known === undefined || isStronger(mode, known)) held.set(oid, mode);
  }
  return held;
}

/** Returns true if a text is a lock mode. */
export function isLockMode(text: string): text is LockMode {
  return (lockModes as readonly string[]).includes(text);
}

/** Returns the name of a lock as the documentation writes it: `ACCESS EXCLUSIVE`. */
export function lockTitle(mode: LockMode): string {
  return mode
    .replace(/Lock$/, "")
    .replace(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase();
}
