import { exitCode, OperationError } from "../core/operation-error.ts";
import type { Statement } from "./statements.ts";

/** Combines both forms of the driver's `query`: the values can follow a statement that is an object, too. */
export function withValues(statement: string | Statement, values: readonly unknown[] | undefined): Statement {
  if (typeof statement === "string") return { text: statement, values };
  return values === undefined ? statement : { ...statement, values };
}

/**
 * Refuses arguments that the driver's pool accepts and this one does not. Types show that before; JavaScript does not.
 *
 * @throws OperationError (wrong usage), before anything is sent
 */
export function refuseOtherCalls(method: string, ...given: readonly unknown[]): void {
  if (given.some((each) => typeof each === "function"))
    throw new OperationError(`pool.${method}() takes no callback.`, {
      hint: `Use the promise that it returns: await pool.${method}(…).`,
      exitCode: exitCode.usage,
    });
  const [first] = given;
  if (typeof first === "object" && first !== null && "submit" in first)
    throw new OperationError(`pool.${method}() takes no query object of the driver, such as a cursor.`, {
      hint: "Use pool.stream() for many rows, or pass the object to a client: pool.withClient((client) => client.query(…)).",
      exitCode: exitCode.usage,
    });
}
