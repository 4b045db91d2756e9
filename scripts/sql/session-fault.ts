import { readOnlyRemedy } from "../target/server-fault.ts";
import type { ServerError } from "./sql-error.ts";

const nowhereRemedy = [
  "The session's search_path leads to no schema that it may create in. Where the database or the role has one of its own (\\drds in psql), as a superuser:",
  "ALTER DATABASE … RESET search_path; or the same with ALTER ROLE … IN DATABASE …. Where the schema's privileges are gone, `npm run pgw -- refresh`, then `up` gives them back. Then run again.",
].join(" ");

/** What to do about a statement that failed for how its session began; undefined where that is not the reason. */
export function sessionFaultRemedy({ code, message }: ServerError): string | undefined {
  if (code === "25006") return readOnlyRemedy;
  // The same code says that a schema is missing which the statement names.
  return code === "3F000" && message === "no schema has been selected to create in" ? nowhereRemedy : undefined;
}
