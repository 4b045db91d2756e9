/**
 * Exit codes, the same for every command (`pgw --help` prints them). `pending` and `wrong` are answers of commands that
 * report a status, not failures of the command itself.
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
  /** Hint: what the reader can do, as one sentence or a command to type. */
  hint?: string;
  exitCode?: ExitCode;
  cause?: unknown;
}

/**
 * A failure meant for the user of a command. The message says what happened and with which value, `hint` says what to
 * do. It is printed without a stack trace. Any other error is a bug of the kit itself.
 */
export class OperationError extends Error {
  override readonly name = "OperationError";
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;

  constructor(message: string, options: OperationErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? exitCode.failed;
  }

  /** Message for readers who did not see what was printed before it. */
  get completeMessage(): string {
    return this.message;
  }

  /** Message and hint, as printed on the terminal and returned by a provider plugin to the engine. */
  get text(): string {
    return this.hint === undefined ? this.message : `${this.message}\n  ${this.hint}`;
  }
}
