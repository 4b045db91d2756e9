/** One row of the result table. */
export interface Measurement {
  what: string;
  /** Measured value with its unit. */
  here: string;
  /** Value of the comparison, measured in the same run. */
  against?: string;
  /** Ratio of the measured value to the comparison. */
  ratio?: number;
  target: string;
  met: boolean;
}

/** Returns the median of several times: on a noisy machine, it varies less than the mean. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}

/** Returns the duration of `work` in seconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** Formats median and range as `1.23 s (1.10–1.40)`. */
export function describeTimes(seconds: readonly number[]): string {
  const [low, high] = [Math.min(...seconds), Math.max(...seconds)];
  return `${median(seconds).toFixed(2)} s (${low.toFixed(2)}–${high.toFixed(2)})`;
}

/** Formats median and range in milliseconds, for short times. */
export function describeMilliseconds(seconds: readonly number[]): string {
  const [low, high] = [Math.min(...seconds), Math.max(...seconds)];
  return `${(1000 * median(seconds)).toFixed(1)} ms (${(1000 * low).toFixed(1)}–${(1000 * high).toFixed(1)})`;
}
