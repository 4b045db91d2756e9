import type { ValidateOptions, Validation } from "../validate/validate.ts";
import { type ConnectionTarget, connectionOf, type DatabaseTarget, folderOf } from "./target.ts";

/** Options of {@link validateDatabase}. Without `database`, the check files are not run. */
export type ValidateDatabaseOptions = ConnectionTarget &
  Partial<Pick<DatabaseTarget, "database" | "migrations">> &
  Omit<ValidateOptions, "connection" | "checkConnection" | "folder">;

/**
 * Examines the data of a database: reads and counts all rows, compares them with constraints, keys and sequences, and
 * runs the queries in the folder `checks`. Changes nothing. The result has findings, and for each subject whether it is
 * ok; what the login cannot see is unknown with the reason, and never ok.
 *
 * @throws OperationError (exit code usage) for an unknown subject, folder or check file; ConnectionError
 */
export async function validateDatabase(options: ValidateDatabaseOptions = {}): Promise<Validation> {
  const { validate } = await import("../validate/validate.ts");
  const { database, migrations, connection: _, env: __, ...rest } = options;
  const folder =
    database === undefined
      ? undefined
      : await folderOf({ database, ...(migrations === undefined ? {} : { migrations }) });
  return validate({ ...rest, connection: connectionOf(options), folder });
}
