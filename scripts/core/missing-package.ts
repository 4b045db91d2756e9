import { isInstalled } from "./kit-folder.ts";
import { OperationError } from "./operation-error.ts";

/**
 * Returns the error that says which package to install, if an import failed because there is none. Some packages are
 * only needed for some commands and functions. Returns undefined for any other error.
 */
export function missingPackage(error: unknown): OperationError | undefined {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_MODULE_NOT_FOUND") return undefined;
  const name = /^Cannot find package '([^']+)'/.exec(error.message)?.[1];
  if (name === undefined) return undefined;
  const hint = isInstalled ? `Run: npm install ${name}` : "Run: npm ci";
  return new OperationError(`The package ${name} is not installed.`, { hint, cause: error });
}

/** Throws the error of a failed import, as {@link missingPackage} says it. */
export function throwImportError(error: unknown): never {
  throw missingPackage(error) ?? error;
}
