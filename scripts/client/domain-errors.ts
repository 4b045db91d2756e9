import pg from "pg";
import { OperationError } from "../core/operation-error.ts";
import { requestContext } from "./context.ts";

/** A rule of the database refused a change. Subclasses name the kind of rule. */
export class DomainError extends OperationError {
  readonly table: string | undefined;
  readonly constraint: string | undefined;
  readonly column: string | undefined;

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    const { table, constraint, column } = cause instanceof pg.DatabaseError ? cause : {};
    this.table = table;
    this.constraint = constraint;
    this.column = column;
  }
}

/** Another row has the same key. */
export class AlreadyExistsError extends DomainError {}
/** A row that this one refers to does not exist, or one that refers to it does. */
export class RelatedRowError extends DomainError {}
/** A value is missing, of the wrong form, or not allowed. */
export class InvalidValueError extends DomainError {}
/** A period overlaps another one. */
export class OverlapError extends DomainError {}
/** A rule that the database's functions keep refused the change, such as an order of states. */
export class RuleViolationError extends DomainError {}
/** The login may not do this. */
export class NotAllowedError extends DomainError {}
/** The row does not exist, or was deleted. */
export class NotFoundError extends DomainError {}
/** The row was changed by another request since it was read. */
export class VersionConflictError extends DomainError {}
/** The change has no author: neither a user nor a key nor an administrator is in the request's context. */
export class NoActorError extends DomainError {}

/** Kinds of errors by SQLSTATE. */
const kinds: Readonly<Record<string, typeof DomainError>> = {
  "23505": AlreadyExistsError,
  "23503": RelatedRowError,
  "23502": InvalidValueError,
  "23514": InvalidValueError,
  "23P01": OverlapError,
  "23001": RuleViolationError,
  P0001: RuleViolationError,
  "42501": NotAllowedError,
};

/** Converts an error of the server to a domain error. Any other error is returned as it is. */
export function domainError(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  // Class 22: a value that the column's type cannot have.
  const kind = kinds[error.code ?? ""] ?? (error.code?.startsWith("22") ? InvalidValueError : undefined);
  return kind === undefined ? error : new kind(error.message, error);
}

/**
 * Runs a read, and converts the server's errors.
 *
 * @throws DomainError
 */
export async function read<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw domainError(error);
  }
}

/**
 * Runs a change in the name of the request's user, API key or administrator, and converts the server's errors.
 *
 * @throws NoActorError if the context has none of them; DomainError
 */
export async function write<T>(run: () => Promise<T>): Promise<T> {
  const { userId, apiKeyId, adminUserId } = requestContext() ?? {};
  if (!userId && !apiKeyId && !adminUserId)
    throw new NoActorError("A change needs its author: run it in withRequestContext({ userId }).");
  return read(run);
}

/**
 * Returns the user who acts, for columns such as `created_by`.
 *
 * @throws NoActorError
 */
export function actingUser(): string {
  const { userId } = requestContext() ?? {};
  if (userId) return userId;
  throw new NoActorError("The author of a change is not known: run it in withRequestContext({ userId }).");
}

/**
 * Returns the row, or reports that there is none.
 *
 * @throws NotFoundError
 */
export function found<Row>(row: Row | undefined, what: string, id: string): Row {
  if (row !== undefined) return row;
  throw new NotFoundError(`There is no ${what} ${JSON.stringify(id)}.`);
}

/**
 * Returns the changed row of an update that names a version.
 *
 * @param exists whether the row exists in any version
 * @throws VersionConflictError or NotFoundError
 */
export function foundVersion<Row>(row: Row | undefined, exists: boolean, what: string, id: string): Row {
  if (row !== undefined || !exists) return found(row, what, id);
  throw new VersionConflictError(`The ${what} ${JSON.stringify(id)} was changed by another request. Read it again.`);
}
