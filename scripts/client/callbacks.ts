/**
 * Runs a callback of the application. An error of it becomes a warning of the process: it says nothing about the
 * connection, and must not end the pool's own work.
 *
 * @param name the callback, as the subject of the warning
 */
export function runCallback(name: string, callback: () => unknown): void {
  const warn = (error: unknown) => {
    const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
    process.emitWarning(`${name} threw an error: ${message}`, {
      type: "PoolCallbackWarning",
      ...(stack !== undefined && { detail: stack }),
    });
  };
  try {
    const result = callback();
    if (result instanceof Promise) result.catch(warn);
  } catch (error) {
    warn(error);
  }
}
