import type { CallContext } from "../../../../infra/plugin/resource-type.ts";
import { type ResourceName, resourceToken } from "../../../../infra/provider/token.ts";

/** What the plugin's skeleton hands to a resource type, with the lines that it logged. */
export interface RecordedContext extends CallContext {
  /** `severity: message`, in their order. */
  readonly lines: string[];
}

export function contextOf(type: ResourceName, stack = "test", signal = new AbortController().signal): RecordedContext {
  const lines: string[] = [];
  return {
    urn: `urn:pulumi:${stack}::shop::${resourceToken(type)}::one`,
    config: {},
    signal,
    lines,
    log: async (severity, message) => {
      lines.push(`${severity}: ${message}`);
    },
  };
}
