import type { z } from "zod";

/** Reports a fault at a path inside a setting. */
export type ReportFault = (path: readonly PropertyKey[], message: string) => void;

/** Adapts zod's context to {@link ReportFault}. */
export function reportTo(context: z.core.$RefinementCtx): ReportFault {
  return (path, message) => context.addIssue({ code: "custom", path: [...path], message });
}
