import type { z } from "zod";
import { redact } from "../core/redact.ts";
import { mask, maskNamedSecrets, namesSecret } from "../core/secret-names.ts";
import { textOf } from "./setting.ts";

/** One wrong setting, as it is reported. */
export interface Fault {
  /** Name as in the stack's configuration, with the path inside the value: `databases[1]`, `postgresql.port`. */
  setting: string;
  reason: string;
  /** True if text was given for a setting that is an object. */
  isObject?: true;
}

/** Longer values are cut, in characters, so that the message stays readable. */
const longestValue = 80;

/** Converts the validation errors of one setting into faults. */
export function faultsOf(name: string, schema: z.ZodType, written: string | undefined, error: z.ZodError): Fault[] {
  const faults = error.issues.map((issue): Fault => {
    const setting = issue.path.reduce<string>(
      (path, step) => (typeof step === "number" ? `${path}[${step}]` : `${path}.${String(step)}`),
      name,
    );
    // Only the kit's own rules have a better message than the expected type: zod's own messages do not show the value.
    if (issue.code === "custom" && issue.message !== "Invalid input") return { setting, reason: issue.message };
    if (issue.code === "invalid_format") return { setting, reason: issue.message };
    const { type } = textOf(schema);
    const expected = `expected ${type}`;
    const isObject = issue.path.length === 0 && /\ban object\b/.test(type) && written !== undefined;
    return {
      setting,
      reason: written === undefined ? `is missing; ${expected}` : `${expected}, got ${shown(setting, written)}`,
      ...(isObject ? { isObject } : {}),
    };
  });
  return faults.filter(
    (fault, index) =>
      faults.findIndex((other) => other.setting === fault.setting && other.reason === fault.reason) === index,
  );
}

/** Formats a value for a message: quoted, cut, and masked if the setting's name suggests a secret. */
function shown(setting: string, written: string): string {
  if (namesSecret(setting)) return mask;
  const value = maskNamedSecrets(redact(written));
  return `'${value.length > longestValue ? `${value.slice(0, longestValue)}…` : value}'`;
}
