/** What a long step is doing; sent at its start and at least every second while it lasts. */
export interface Progress {
  /** E.g. `building the Pulumi engine 3.259.0`. */
  step: string;
  /** Since the step began, in ms. */
  elapsedMs: number;
  /** The step's own last news, e.g. the package being compiled. */
  detail?: string;
}

export type OnProgress = (progress: Progress) => void;

const heartbeatMs = 1_000;

/** Runs `work` while reporting it once a second; `work` calls its argument when it has news. */
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
