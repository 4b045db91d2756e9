import { isFromServer } from "../../connection/server-fault.ts";
import { OperationError } from "../../core/operation-error.ts";
import { BackupError, UnusableBackup } from "../diagnosis.ts";
import { failureTable } from "../failure-verdicts.ts";

/** Failures of the machine that a drill runs on. They say nothing about the backup. */
const machine = new RegExp(failureTable.machine, "i");

const damaged = new RegExp(failureTable.server);

/**
 * Decides if a failure is one of the backup. What is not known to be one is not: the drill could not run then.
 *
 * @param error thrown by a restore, or the reason why a restore is incomplete
 */
export function blamesBackup(error: unknown): boolean {
  if (typeof error === "string") return !machine.test(error);
  if (!(error instanceof OperationError) || machine.test(error.message)) return false;
  if (error instanceof BackupError) return error instanceof UnusableBackup;
  // XX001, XX002: the restored server found damaged data.
  if (isFromServer(error.cause) && /^XX00[12]$/.test(String(error.cause.code))) return true;
  return /^The server in the container /.test(error.message) && damaged.test(error.message);
}
