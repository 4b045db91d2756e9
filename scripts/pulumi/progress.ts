/** Progress of a long step, sent at its start and at least once a second. */
export interface Progress {
  /** Name of the step: `building the Pulumi engine 3.259.0`. */
  step: string;
  /** Time since the step began, in ms. */
  elapsedMs: number;
  /** Latest news of the step: the package being compiled. */
  detail?: string;
}

export type OnProgress = (progress: Progress) => void;

const heartbeatMs = 1_000;

/** Runs `work` and reports it once a second. `work` calls its argument when it has news. */
export async function reporting<T>(
  step: string,
  onProgress: OnProgress,
  work: (news: (detail: string) => void) => Promise<T>,
): Promise<T> {
  const started = performance.now();
  let detail: string | undefined;
  const report = () => {
    const elapsedMs = Math.round(performance.now() - started);
    onProgress(detail === undefined ? { step, elapsedMs } : { step, elapsedMs, detail });
  };
  report();
  const heartbeat = setInterval(report, heartbeatMs);
  try {
    return await work((news) => {
      detail = news;
    });
  } finally {
    clearInterval(heartbeat);
  }
}
