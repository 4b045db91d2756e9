import { temporaryFor } from "../../scripts/core/temporary.ts";

/** Names a temporary file like one of a process that has ended: with this pid, but an earlier start time. */
export function leftTemporary(path: string): string {
  return temporaryFor(path).replace(/\.(\d+)-\d*-(?=[^/]*$)/, ".$1-1-");
}

/** Names a temporary file like one of a process on another machine. */
export function temporaryElsewhere(path: string): string {
  return temporaryFor(path).replace(/-[\da-f]{8}-(?=[\da-f]{8}\.pgw-tmp$)/, "-00000000-");
}
