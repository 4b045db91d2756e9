/** Error codes of a write to a pipe without a reader: of the first write, and of later ones. */
const closedPipe = new Set(["EPIPE", "ERR_STREAM_DESTROYED"]);

/**
 * Keeps a command running if the reader of its output has gone (`pgw outputs | head -1`). The command ends with its
 * usual exit code. Work on a stack or a database must not stop halfway because the reader closed the pipe.
 */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (!closedPipe.has(error.code ?? "")) throw error;
    });
  }
}

/** Returns a signal that aborts when the reader of stdout has gone, for commands with endless output. */
export function readerGone(): AbortSignal {
  const gone = new AbortController();
  process.stdout.once("error", (error) => gone.abort(error));
  return gone.signal;
}
