/** Formats a number of bytes: `14 MB`. */
export function bytes(count: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let [value, unit] = [count, 0];
  while (value >= 1_024 && unit < units.length - 1) [value, unit] = [value / 1_024, unit + 1];
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Formats seconds: `40 s`, `12 min`, `6 h`, `3 days`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** Formats a number with separators: `1,000,000`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Formats a share as a percentage. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
