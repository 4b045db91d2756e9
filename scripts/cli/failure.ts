import type { EnvironmentSource } from "../connection/environment.ts";
import { missingPackage } from "../core/missing-package.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { redact } from "../core/redact.ts";
import { localStack } from "../stack/local-stack.ts";
import { Interrupted, interruptionOf } from "./interruption.ts";
import type { Failure, Output } from "./output.ts";
import { lineToType } from "./typed-line.ts";

/** Context of a failure: the interruption of the command, and the variables that chose its database. */
interface FailureContext {
  signal?: AbortSignal;
  targetSource?: EnvironmentSource | undefined;
}

/** Prints an error on stderr, and returns what `--json` says of it. Secrets are masked in both. */
export function reportError(out: Output, thrown: unknown, { signal, targetSource }: FailureContext = {}): Failure {
  const error = missingPackage(thrown) ?? thrown;
  const interruption = signal && interruptionOf(signal);
  if (error instanceof OperationError) {
    const said = [error.hint, targetSource && describeSource(targetSource)];
    const hints = said.filter((hint) => hint !== undefined).map((hint) => redact(hint));
    out.error([redact(error.message), ...hints].join("\n  "));
    const hint = hints.length === 0 ? null : hints.join("\n  ");
    return { message: redact(error.completeMessage), hint, code: interruption?.exitCode ?? error.exitCode };
  }
  if (interruption !== undefined) {
    // Any other error is only a consequence of the interruption.
    const message = error instanceof Interrupted ? error.message : interruption.message;
    out.note(message);
    return { message, hint: null, code: interruption.exitCode };
  }
  const fault = error instanceof Error ? error : new Error(String(error));
  const [message, hint] = [redact(fault.message), "This is a bug in pgroundwork. PGW_DEBUG=1 shows where it happened."];
  out.error(`${message}\n  ${hint}`);
  if (process.env.PGW_DEBUG) out.note(redact(fault.stack ?? ""));
  return { message, hint, code: exitCode.failed };
}

/** Names the variables that chose the database, because a variable left in a shell is easily forgotten. */
export function describeSource(source: EnvironmentSource): string {
  const instead = lineToType(["--stack", localStack]);
  return `${source} in the environment selected this database instead of a stack. Unset it, or name the stack: ${instead}`;
}
