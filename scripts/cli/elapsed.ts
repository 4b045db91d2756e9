/** Returns what is being done with its elapsed time, from the first second on: `making a backup (1 min 5 s)`. */
export function withElapsed(what: string, ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 1) return what;
  return `${what} (${seconds < 60 ? "" : `${Math.floor(seconds / 60)} min `}${seconds % 60} s)`;
}
