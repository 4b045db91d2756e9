/**
 * What the process ends with; the same numbers for every command (`pgw --help` prints them).
 * `pending` and `wrong` are answers of status-like commands, not failures of the command itself.
 */
export const exitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  notAllowed: 3,
  pending: 4,
  wrong: 5,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

export interface OperationErrorOptions {
  /** What the reader can do about it, as one sentence or a command to type. */
  remedy?: string;
  exitCode?: ExitCode;
  cause?: unknown;
}

/**
 * A failure meant for the person who typed the command: the message says what happened and with which value,
 * `remedy` what to do. It is printed without a stack trace; any other error is a fault of the kit itself.
 */
export class OperationError extends Error {
  override readonly name = "OperationError";
  readonly remedy: string | undefined;
  readonly exitCode: ExitCode;

  constructor(message: string, options: OperationErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.remedy = options.remedy;
    this.exitCode = options.exitCode ?? exitCode.failed;
  }

  /** Message and remedy as they are shown, on the terminal and in what a provider plugin answers to the engine. */
  get text(): string {
    return this.remedy === undefined ? this.message : `${this.message}\n  ${this.remedy}`;
  }
}
