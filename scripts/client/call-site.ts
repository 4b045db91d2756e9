import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** Holds the stack of the code that took a client. V8 formats it only if it is read. */
export interface CallSite {
  stack?: string;
}

/** Folder of the pool's own code, whose frames say nothing about who took a client. */
const ownFolder = dirname(fileURLToPath(import.meta.url));

/** Packages between an application and the pool. */
const between = /[\\/]node_modules[\\/](kysely|pg|pg-pool|drizzle-orm)[\\/]/;

/** Frames that are recorded. Layers between application and pool use some of them. */
const depth = 25;

/** Records the current stack. Costs a few microseconds. */
export function captureCallSite(): CallSite {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = depth;
  const site: CallSite = {};
  Error.captureStackTrace(site, captureCallSite);
  Error.stackTraceLimit = before;
  return site;
}

/** Returns file, line and column of the application's code in a stack, such as `/app/orders.ts:12:7`. */
export function describeCallSite(site: CallSite | undefined): string {
  for (const line of site?.stack?.split("\n").slice(1) ?? []) {
    const [, place = ""] = /^\s*at (?:.*\()?((?:file:\/\/)?[^()]*:\d+:\d+)\)?$/.exec(line) ?? [];
    const path = place.startsWith("file://") ? fileURLToPath(place.replace(/:\d+:\d+$/, "")) : place;
    const position = /:\d+:\d+$/.exec(place)?.[0] ?? "";
    const file = path.replace(/:\d+:\d+$/, "");
    if (file === "" || file.startsWith("node:") || dirname(file) === ownFolder || between.test(file)) continue;
    return `${file}${position}`;
  }
  return "unknown code";
}
