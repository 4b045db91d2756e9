import { isDeepStrictEqual } from "node:util";
import type { PropertyChange } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";

/** The properties whose values differ between old and new inputs. Undefined and absent are the same; the named ones are left out. */
export function changedInputs(old: Properties, news: Properties, except: readonly string[] = []): PropertyChange[] {
  const changes: PropertyChange[] = [];
  for (const key of new Set([...Object.keys(old), ...Object.keys(news)])) {
    if (key.startsWith("__") || except.includes(key) || isDeepStrictEqual(old[key], news[key])) continue;
    const kind = old[key] === undefined ? "add" : news[key] === undefined ? "delete" : "update";
    changes.push({ path: key, kind });
  }
  return changes;
}
