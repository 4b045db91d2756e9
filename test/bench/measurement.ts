/** One line of the table. */
export interface Measurement {
  what: string;
  /** The figure, with its unit. */
  here: string;
  /** What it stands against, measured in the same run. */
  against?: string;
  /** Here divided by the other. */
  ratio?: number;
  target: string;
  met: boolean;
}

/** The middle of several times; a noisy machine spoils the ends first. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}

/** How long `work` takes, in seconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** `1.23 s (1.10–1.40)`: the median and the range. */
export function describeTimes(seconds: readonly number[]): string {
  const [low, high] = [Math.min(...seconds), Math.max(...seconds)];
  return `${median(seconds).toFixed(2)} s (${low.toFixed(2)}–${high.toFixed(2)})`;
}

/** The same in milliseconds, for what takes a few of them. */
export function describeMilliseconds(seconds: readonly number[]): string {
  const [low, high] = [Math.min(...seconds), Math.max(...seconds)];
  return `${(1000 * median(seconds)).toFixed(1)} ms (${(1000 * low).toFixed(1)}–${(1000 * high).toFixed(1)})`;
}
