/** A log whose lines consist of a message and fields. */
export interface OperationLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface OperationLogOptions {
  /** True if anything is logged at all. */
  verbose: boolean;
  /** Connects the lines of one operation: here, in the program's plugins and in the databases' ledgers. */
  runId: string;
  /** True for readable lines instead of JSON. */
  terminal: boolean;
}

const silent: OperationLog = { info: () => undefined, error: () => undefined };

/**
 * Opens the log of one operation on stderr: one JSON line per event for log collectors, readable lines on a terminal.
 * Loads the logger only if needed, because loading it takes longer than most commands run.
 */
export async function openOperationLog({ verbose, runId, terminal }: OperationLogOptions): Promise<OperationLog> {
  if (!verbose) return silent;
  const { default: pino } = await import("pino");
  const stderr = 2;
  // Written synchronously, so that a process that is killed has logged what it did.
  const stream = terminal
    ? (await import("pino-pretty")).default({ destination: stderr, sync: true, ignore: "pid,hostname,runId" })
    : pino.destination({ dest: stderr, sync: true });
  const logger = pino({ base: { runId } }, stream);
  return {
    info: (fields, message) => logger.info(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}
