import { writeSync } from "node:fs";
import { exitCode } from "../core/operation-error.ts";

/** Error codes of a write to a pipe without a reader: of the first write, and of later ones. */
const closedPipe = new Set(["EPIPE", "ERR_STREAM_DESTROYED"]);

/**
 * Keeps a command running if its output cannot be written. Work on a stack or a database must not stop halfway because
 * the reader closed the pipe (`pgw outputs | head -1`) or because the disk of the output file is full.
 *
 * With a closed pipe, the command ends with its usual exit code. After any other error, which is printed once on
 * stderr, it ends with 1, since its answer is incomplete.
 */
export function surviveLostOutput(): void {
  process.stderr.on("error", () => {});
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (closedPipe.has(error.code ?? "")) return;
    process.exitCode = exitCode.failed;
    process.once("exit", () => {
      process.exitCode = exitCode.failed;
    });
    try {
      writeSync(2, `error: The output could not be written: ${error.message}\n`);
    } catch {
      // stderr may be on the same disk.
    }
  });
}

/** Returns a signal that aborts when the reader of stdout has gone, for commands with endless output. */
export function readerGone(): AbortSignal {
  const gone = new AbortController();
  process.stdout.once("error", (error) => gone.abort(error));
  return gone.signal;
}
