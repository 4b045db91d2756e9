/** A run that ended because it was asked to; what it had done by then stays. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** What shells expect of a process that a signal ended: 128 and the signal's number. */
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Ctrl-C and SIGTERM, as one run sees them. */
export interface Interruption {
  /** Fires at the first of them, with an {@link Interrupted} as its reason. */
  readonly signal: AbortSignal;
  /** Fires where the engine has to be told, too. */
  readonly engineSignal: AbortSignal;
  /** Listens no longer, so that a program which has the terminal now may do as it likes with Ctrl-C. */
  release(): void;
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** npm passes on to its script what the terminal has sent to both: within this time, in ms, a second signal is the first one again. */
const echoMs = 1_000;

/**
 * Listens for Ctrl-C and SIGTERM. The first one asks for an end in order, a second one ends the process at once.
 *
 * A terminal gives Ctrl-C to the engine as well. Told twice, the engine would drop the step under way instead of finishing it, and not know afterwards
 * what became of it.
 *
 * @param terminal whether this process runs in a terminal
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
      // It may still be unknown to the engine: Ctrl-C can be sent to this process alone.
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

/** Why a run was interrupted; undefined where it was not. */
export function interruptionOf(signal: AbortSignal): Interrupted | undefined {
  return signal.reason instanceof Interrupted ? signal.reason : undefined;
}
