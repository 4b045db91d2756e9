/** Interval between checks of the parent process, in ms. */
const interval = 500;

/** Time for work in progress to stop after its signal has fired, in ms. */
const exitTimeoutMs = 2_000;

/**
 * Ends the plugin when the engine that started it is gone. The engine normally ends its plugins, but it cannot if it is
 * killed. Orphans would continue to change a server without supervision.
 */
export function exitWithParent(cancelled: AbortController): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    cancelled.abort(new Error("The engine that started this plugin is gone."));
    setTimeout(() => process.exit(1), exitTimeoutMs).unref();
  }, interval);
  watch.unref();
}
