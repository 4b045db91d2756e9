import { isDeepStrictEqual } from "node:util";
import type { PropertyChange } from "../../provider-protocol/resource-type.ts";
import type { Properties } from "../../provider-protocol/values.ts";

/**
 * Returns the properties whose values differ between old and new inputs. Undefined and absent are the same.
 *
 * @param except names of properties to ignore
 */
export function changedInputs(old: Properties, news: Properties, except: readonly string[] = []): PropertyChange[] {
  const changes: PropertyChange[] = [];
  for (const key of new Set([...Object.keys(old), ...Object.keys(news)])) {
    if (key.startsWith("__") || except.includes(key) || isDeepStrictEqual(old[key], news[key])) continue;
    const kind = old[key] === undefined ? "add" : news[key] === undefined ? "delete" : "update";
    changes.push({ path: key, kind });
  }
  return changes;
}
