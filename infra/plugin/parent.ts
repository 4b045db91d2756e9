/** How often the parent is looked for, in ms. */
const interval = 500;

/** How long work under way may take to stop after its signal fired, in ms. */
const grace = 2_000;

/**
 * Ends the plugin when the engine that started it is gone. The engine ends its plugins when it ends itself; killed by force it cannot, and
 * orphans would go on changing a server that nobody watches.
 */
export function exitWithParent(cancelled: AbortController): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    cancelled.abort(new Error("The engine that started this plugin is gone."));
    setTimeout(() => process.exit(1), grace).unref();
  }, interval);
  watch.unref();
}
