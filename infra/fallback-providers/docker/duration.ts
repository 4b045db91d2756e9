const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3_600e9,
};

const durationPattern = /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/;

/** Parses a Go duration (`1m30s`, `500ms`, `0`) into nanoseconds. Returns undefined if it is not one. */
export function nanoseconds(text: string): number | undefined {
  if (text === "0") return 0;
  if (!durationPattern.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g);
  return Math.round([...parts].reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ""] ?? 0), 0));
}

/** Formats a duration as Go and the official plugin do: `30s`, `1m0s`, `1h0m0s`, `500ms`. */
export function goDuration(nanos: number): string {
  if (nanos === 0) return "0s";
  if (nanos < 1e3) return `${nanos}ns`;
  if (nanos < 1e6) return `${nanos / 1e3}µs`;
  if (nanos < 1e9) return `${nanos / 1e6}ms`;
  const hours = Math.floor(nanos / 3_600e9);
  const minutes = Math.floor((nanos % 3_600e9) / 60e9);
  const seconds = (nanos % 60e9) / 1e9;
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}

/** Returns true if two Go durations are equal. Invalid durations equal none. */
export function isSameDuration(left: string, right: string): boolean {
  return nanoseconds(left) !== undefined && nanoseconds(left) === nanoseconds(right);
}
