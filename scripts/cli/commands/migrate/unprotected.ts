import { exitCode, OperationError } from "../../../core/operation-error.ts";
import type { Target } from "../../target.ts";

/**
 * Refuses a command for development on a protected stack.
 *
 * @param what the sentence without its end: "Write migrations"
 * @throws OperationError (not allowed) for a protected stack
 */
export function requireUnprotected({ protected: isProtected, label }: Target, what: string): void {
  if (isProtected !== true) return;
  throw new OperationError(`${label} is protected. ${what} against a development database.`, {
    hint: "Name another stack with --stack.",
    exitCode: exitCode.notAllowed,
  });
}
