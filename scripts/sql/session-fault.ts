import { readOnlyHint } from "../connection/server-fault.ts";
import type { ServerError } from "./sql-error.ts";

const nowhereHint = [
  "The session's search_path contains no schema in which it can create objects. If the database or the role has its own search_path (\\drds in psql), run as a superuser:",
  "ALTER DATABASE … RESET search_path; or the same with ALTER ROLE … IN DATABASE …. Where the schema's privileges are gone, `npm run pgw -- refresh`, then `up` gives them back. Then run again.",
].join(" ");

/**
 * Returns the hint for a statement that failed because of the session's initial settings; undefined if that is not the
 * reason.
 */
export function sessionFaultHint({ code, message }: ServerError): string | undefined {
  if (code === "25006") return readOnlyHint;
  // The same code is also used if the statement names a schema that does not exist.
  return code === "3F000" && message === "no schema has been selected to create in" ? nowhereHint : undefined;
}
