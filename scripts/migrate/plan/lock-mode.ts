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

/** Whom a lock keeps waiting: ordinary reads and writes, ordinary writes, or only other changes of the schema. */
export type LockEffect = "blocks reads and writes" | "blocks writes" | "blocks neither";

export function lockEffect(mode: LockMode): LockEffect {
  if (mode === "AccessExclusiveLock") return "blocks reads and writes";
  return isStronger(mode, "ShareUpdateExclusiveLock") ? "blocks writes" : "blocks neither";
}

export function isStronger(mode: LockMode, than: LockMode): boolean {
  return lockModes.indexOf(mode) > lockModes.indexOf(than);
}

/** Of several locks on one relation the strongest. */
export function strongest(rows: Iterable<readonly [number, LockMode]>): Map<number, LockMode> {
  const held = new Map<number, LockMode>();
  for (const [oid, mode] of rows) {
    const known = held.get(oid);
    if (known === undefined || isStronger(mode, known)) held.set(oid, mode);
  }
  return held;
}

export function isLockMode(text: string): text is LockMode {
  return (lockModes as readonly string[]).includes(text);
}

/** As the documentation writes it: `ACCESS EXCLUSIVE`. */
export function lockTitle(mode: LockMode): string {
  return mode
    .replace(/Lock$/, "")
    .replace(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase();
}
