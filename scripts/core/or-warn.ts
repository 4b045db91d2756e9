import { OperationError } from "./operation-error.ts";

/**
 * Runs work that a command can do without. If it fails, gives a warning: what is missing now, and the reason.
 *
 * @throws any error that is no OperationError
 */
export async function orWarn(
  onWarning: (text: string) => void,
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    onWarning(`${what}: ${error.message}`);
  }
}
