const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Parses a duration such as `5m`, `1h30m` or `300ms`, as Go writes it. A number without a unit is seconds. Returns
 * undefined for other text.
 */
export function parseDurationMs(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    total += Number(amount) * (unitsMs[unit ?? ""] ?? Number.NaN);
  return total;
}

/** Longest time of a timer, in ms: Node ends one that is set for longer at once. */
export const longestTimerMs = 2 ** 31 - 1;
