/** Difference in seconds that two machines' clocks may have. A later time is in the future. */
const clockSkewSeconds = 300;

/** Returns the age of a time in ISO 8601. It is negative for a time in the future. */
export function ageInSeconds(time: string, now: Date): number {
  return (now.getTime() - Date.parse(time)) / 1_000;
}

/** Returns true for a negative age that the difference between two clocks does not explain. */
export function isInFuture(ageSeconds: number): boolean {
  return ageSeconds < -clockSkewSeconds;
}

/** Formats an age for people: `6 h ago`, or `in the future`. */
export function ago(ageSeconds: number): string {
  return isInFuture(ageSeconds) ? "in the future" : `${duration(Math.max(0, ageSeconds))} ago`;
}

/** Formats seconds for people: `40 s`, `12 min`, `6 h`, `3 days`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
