/** A line of the log: what happened, and with what. */
export interface OperationLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface OperationLogOptions {
  /** Whether anything is logged at all. */
  verbose: boolean;
  /** Ties together the lines of one operation, here, in the program's plugins and in the databases' ledgers. */
  runId: string;
  /** People read along: lines instead of JSON. */
  terminal: boolean;
}

const silent: OperationLog = { info: () => undefined, error: () => undefined };

/**
 * The log of one operation, on stderr: JSON, a line each, for whatever collects logs; readable lines on a terminal. The logger is loaded
 * only where it is asked for, since it takes longer to load than most commands take to run.
 */
export async function openOperationLog({ verbose, runId, terminal }: OperationLogOptions): Promise<OperationLog> {
  if (!verbose) return silent;
  const { default: pino } = await import("pino");
  const stderr = 2;
  // Written at once: a process that is killed has logged what it did.
  const stream = terminal
    ? (await import("pino-pretty")).default({ destination: stderr, sync: true, ignore: "pid,hostname,runId" })
    : pino.destination({ dest: stderr, sync: true });
  const logger = pino({ base: { runId } }, stream);
  return {
    info: (fields, message) => logger.info(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}
