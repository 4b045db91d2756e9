import type { Properties } from "../../../infra/provider-protocol/values.ts";
import type { Delta } from "../../../scripts/stack/state-delta.ts";

/** Outputs that are maps of strings; every other object is a block. */
const maps = new Set([
  "auxAddress",
  "driverOpts",
  "ipamOptions",
  "logOpts",
  "options",
  "storageOpts",
  "sysctls",
  "tmpfs",
]);

/** Blocks that occur at most once: lists of one in the Terraform state, where null is an empty list. */
const single = new Set(["capabilities", "cluster", "healthcheck"]);

/** Describes a resource's outputs as Pulumi's Terraform bridge does. */
export function deltaOf(outputs: Properties): Delta {
  const ps: Record<string, Delta> = {};
  for (const [key, value] of Object.entries(outputs)) {
    const delta = key.startsWith("__") ? undefined : valueDelta(key, value);
    if (delta !== undefined) ps[key] = delta;
  }
  return { obj: Object.keys(ps).length === 0 ? {} : { ps } };
}

function valueDelta(key: string, value: unknown): Delta | undefined {
  if (single.has(key)) return { plu: { i: isObject(value) ? deltaOf(value) : {} } };
  if (Array.isArray(value)) {
    const el = Object.fromEntries(value.flatMap((item, index) => (isObject(item) ? [[index, deltaOf(item)]] : [])));
    return { arr: Object.keys(el).length === 0 ? {} : { el } };
  }
  if (!isObject(value)) return undefined;
  return maps.has(key) ? { map: {} } : deltaOf(value);
}

function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
