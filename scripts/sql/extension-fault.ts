import type { ServerError } from "./sql-error.ts";

/** Returns the hint for a statement that failed because of an extension; undefined if that is not the reason. */
export function extensionFaultHint({ code, message }: ServerError): string | undefined {
  if (code === "42501" && message.startsWith("permission denied to create extension"))
    return "Only an administrator can create extensions. Remove the statement and name the extension in database.json; a stack then creates it before the first migration. On other servers, a superuser must create it. Then run again.";
  if (code === "42501" && message === "permission denied for schema cron")
    return "Jobs run as the role that schedules them, and the owner cannot log in. Put `set local role none;` before the statement and `reset role;` after it, then run again.";
  if (code === "0A000" && / is not available$/.test(message))
    return "This server does not have that extension. Install it there or remove it from the file, then run again.";
  return undefined;
}

/** Returns a further hint. The server cannot tell if a name is wrong or an extension is missing. */
export function perhapsExtension({ code }: ServerError): string | undefined {
  return code === "42704" || code === "42883"
    ? "If an extension provides the missing object, name it in database.json."
    : undefined;
}
