import { exitCode, OperationError } from "../../errors/operation-error.ts";
import type { Target } from "../cli/target.ts";

/**
 * Refuses what belongs to development.
 *
 * @param what is done elsewhere: "Migrations are written"
 * @throws OperationError (not allowed) for a stack that holds real data
 */
export function requireUnprotected({ protected: isProtected, label }: Target, what: string): void {
  if (isProtected !== true) return;
  throw new OperationError(`${label} is protected. ${what} against a database of development.`, {
    remedy: "Name another stack with --stack.",
    exitCode: exitCode.notAllowed,
  });
}
