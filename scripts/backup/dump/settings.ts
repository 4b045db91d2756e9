import { join, resolve } from "node:path";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { keyVariables } from "./encryption.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** Settings of dumps. */
export interface DumpSettings {
  /** Folder of all dumps. */
  folder: string;
  retentionDays: number;
  compressed: boolean;
}

/** Time in days for which dumps are kept if BACKUP_RETENTION_DAYS is not set. */
const defaultRetentionDays = 30;

/**
 * Reads BACKUP_DIR, BACKUP_RETENTION_DAYS and BACKUP_COMPRESS.
 *
 * @param root folder to which a relative BACKUP_DIR belongs
 * @throws OperationError (wrong usage)
 */
export function readDumpSettings(env: Variables, root: string): DumpSettings {
  const days = env.BACKUP_RETENTION_DAYS || String(defaultRetentionDays);
  if (!/^[1-9]\d{0,4}$/.test(days)) throw wrongVariable("BACKUP_RETENTION_DAYS", days, "a number of days from 1");
  const compress = env.BACKUP_COMPRESS || "true";
  if (compress !== "true" && compress !== "false") throw wrongVariable("BACKUP_COMPRESS", compress, "true or false");
  return {
    folder: env.BACKUP_DIR ? resolve(root, env.BACKUP_DIR) : join(root, ".pgroundwork", "dumps"),
    retentionDays: Number(days),
    compressed: compress === "true",
  };
}

/** Reads the public keys of BACKUP_RECIPIENTS. Empty: dumps are not encrypted. */
export function readRecipients(env: Variables): string[] {
  return (env[keyVariables.recipients] ?? "").split(/[\s,]+/).filter((text) => text !== "");
}

function wrongVariable(name: string, value: string, expected: string): OperationError {
  return new OperationError(`${name} is "${value}".`, { hint: `Set it to ${expected}.`, exitCode: exitCode.usage });
}
