import { OperationError } from "../core/operation-error.ts";

/** A client could not be obtained within `connectionTimeoutMs`. The message lists who holds the pool's clients. */
export class PoolTimeoutError extends OperationError {}

/** The pool was closed, or is being closed. */
export class PoolClosedError extends OperationError {
  constructor() {
    super("The pool is closed.", { hint: "Create a new pool, or close this one later." });
  }
}

/** A stream of rows or a COPY was not done within its time limit, and was cancelled. */
export class WorkTimeoutError extends OperationError {}

/** Every client is held by a request that waits for a second one, so none would ever be returned. */
export class PoolStarvationError extends OperationError {}

/** A client was returned to the pool while it was in a transaction or running a statement. */
export class UnfinishedWorkError extends OperationError {}

/** A client, a transaction or a savepoint was used after its end. Nothing was sent. */
export class UseAfterEndError extends OperationError {}

/** COMMIT was answered with ROLLBACK: a statement had failed, and its error was not passed on. */
export class RolledBackError extends OperationError {}

/** The connection was lost before the COMMIT was done, and the server rolled the transaction back. */
export class AbortedCommitError extends OperationError {
  constructor(cause: unknown) {
    super("The connection was lost before the COMMIT was done, and the transaction was rolled back.", {
      hint: "Repeat the transaction. pool.transaction() and kyselyTransaction() do so themselves.",
      cause,
    });
  }
}

/** Part of the work whose result is unknown. */
export type UnknownPhase = "statement" | "commit";

/**
 * The connection was lost after a statement or a COMMIT was sent, and the server cannot say if it took effect. The pool
 * never repeats it.
 */
export class OutcomeUnknownError extends OperationError {
  readonly phase: UnknownPhase;

  /** @param reason why the server cannot say it, if that is known */
  constructor(phase: UnknownPhase, cause: unknown, reason = "") {
    const what = phase === "commit" ? "a transaction was being committed" : "a statement was running";
    const why = reason && ` (${reason})`;
    super(`The connection was lost while ${what}${why}. The change is either complete or absent.`, {
      hint: "Look in the database before you repeat it. A unique key per change makes repeating it safe.",
      cause,
    });
    this.phase = phase;
  }
}

/**
 * A statement in a transaction function had ended the transaction. What the function changed before and after it was
 * committed or rolled back in parts. The pool never repeats it.
 */
export class EndedTransactionError extends OperationError {
  constructor() {
    super(
      "A statement in the transaction had ended it (COMMIT or ROLLBACK), so what it changed was committed or rolled back in parts.",
      { hint: "Let the function return to commit, and throw to roll back." },
    );
  }
}

/** Returns the SQLSTATE or system error code of an error, or an empty text. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
