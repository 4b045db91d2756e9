const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/**
 * Parses a duration: a whole number and a unit, such as `90s`, `30m`, `24h` or `45d`.
 *
 * @returns seconds; undefined if the text is no duration, or is zero
 */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = ""] = /^(\d{1,9})([smhd])$/.exec(text.trim()) ?? [];
  const seconds = Number(number) * (secondsOf[unit] ?? Number.NaN);
  return seconds > 0 ? seconds : undefined;
}

/** Formats seconds as {@link parseDuration} reads them, in the largest unit without a remainder. */
export function formatDuration(seconds: number): string {
  const unit = ["d", "h", "m"].find(
    (each) => seconds >= (secondsOf[each] ?? 1) && seconds % (secondsOf[each] ?? 1) === 0,
  );
  return unit === undefined ? `${seconds}s` : `${seconds / (secondsOf[unit] ?? 1)}${unit}`;
}
