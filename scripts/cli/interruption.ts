/** Error of a command that was asked to end. What it has done by then stays. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** Exit code that shells expect of a process ended by a signal: 128 plus the signal's number. */
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Ctrl-C and SIGTERM, as one command sees them. */
export interface Interruption {
  /** Aborts at the first of these signals, with an {@link Interrupted} as its reason. */
  readonly signal: AbortSignal;
  /** Aborts at the same time, but only if the engine must be notified, too. */
  readonly engineSignal: AbortSignal;
  /** Stops listening, so that another program in the terminal can handle Ctrl-C itself. */
  release(): void;
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Time in ms within which a second signal counts as a repetition of the first. npm forwards to its script the signals
 * that the terminal has sent to both.
 */
const echoMs = 1_000;

/**
 * Listens for Ctrl-C and SIGTERM. The first one requests an orderly end, a second one ends the process at once.
 *
 * A terminal sends Ctrl-C to the engine as well. If the engine were notified twice, it would cancel the current step
 * instead of finishing it, and the outcome of that step would be unknown.
 *
 * @param terminal true if this process runs in a terminal
 */
export function listenForInterruption(terminal: boolean): Interruption {
  const own = new AbortController();
  const engine = new AbortController();
  let firstAt = 0;
  const heard = (name: keyof typeof exitCodes) => {
    const now = performance.now();
    if (!own.signal.aborted) {
      firstAt = now;
      const reason = new Interrupted("Interrupted.", exitCodes[name]);
      own.abort(reason);
      if (name === "SIGTERM" || !terminal) engine.abort(reason);
    } else if (now - firstAt > echoMs) {
      // The engine may not know of it yet: Ctrl-C can be sent to this process alone.
      engine.abort(own.signal.reason);
      process.exit(exitCodes[name]);
    }
  };
  const names = Object.keys(exitCodes) as (keyof typeof exitCodes)[];
  for (const name of names) process.on(name, heard);
  return {
    signal: own.signal,
    engineSignal: engine.signal,
    release: () => {
      for (const name of names) process.off(name, heard);
    },
  };
}

/** Returns the reason if the command was interrupted, otherwise undefined. */
export function interruptionOf(signal: AbortSignal): Interrupted | undefined {
  return signal.reason instanceof Interrupted ? signal.reason : undefined;
}
