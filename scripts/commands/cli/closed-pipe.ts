/** Writing to a pipe that nobody reads any more: the first time, and from then on. */
const closedPipe = new Set(["EPIPE", "ERR_STREAM_DESTROYED"]);

/**
 * Lets a command go on in silence where nobody reads what it prints any more (`pgw outputs | head -1`): it ends as it would have, with the exit code
 * of what it found or did. Work on a stack or a database must not break off because a reader had enough.
 */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (!closedPipe.has(error.code ?? "")) throw error;
    });
  }
}

/** Fires when whoever read stdout has gone: for what prints without an end. */
export function readerGone(): AbortSignal {
  const gone = new AbortController();
  process.stdout.once("error", (error) => gone.abort(error));
  return gone.signal;
}
