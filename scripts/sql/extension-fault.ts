import type { ServerError } from "./sql-error.ts";

/** What to do about a statement that failed for want of an extension; undefined where that is not the reason. */
export function extensionFaultRemedy({ code, message }: ServerError): string | undefined {
  if (code === "42501" && message.startsWith("permission denied to create extension"))
    return "Extensions are the administrator's: take the statement out, and name the extension in database.json, so that a stack makes it before the first migration. Elsewhere have a superuser make it. Then run again.";
  if (code === "0A000" && / is not available$/.test(message))
    return "This server does not have that extension: install it there, or do without it. Then run again.";
  return undefined;
}

/** Said beside the other advice: whether the name is wrong or an extension is missing, the server cannot tell. */
export function perhapsExtension({ code }: ServerError): string | undefined {
  return code === "42704" || code === "42883"
    ? "If an extension brings what is missing, name it in database.json."
    : undefined;
}
