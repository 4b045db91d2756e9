import { type ResourceName, tokenOf } from "../../../../infra/provider/definitions/definitions.ts";
import type { CallContext } from "../../../../infra/provider-protocol/resource-type.ts";

/** Context of a resource type, as the plugin's skeleton passes it, with the logged lines. */
export interface RecordedContext extends CallContext {
  /** Lines in the form `severity: message`, in order. */
  readonly lines: string[];
}

/** Returns a context for the resource `one` of a type, which records the logged lines. */
export function contextOf(type: ResourceName, stack = "test", signal = new AbortController().signal): RecordedContext {
  const lines: string[] = [];
  return {
    urn: `urn:pulumi:${stack}::shop::${tokenOf(type)}::one`,
    config: {},
    signal,
    lines,
    log: async (severity, message) => {
      lines.push(`${severity}: ${message}`);
    },
  };
}
