import type { z } from "zod";
import { redact } from "../../scripts/errors/redact.ts";
import { textOf } from "./setting.ts";

/** One wrong setting, ready to be shown. */
export interface Fault {
  /** As written in the stack's configuration, with the place inside it: `databases[1]`, `postgresql.port`. */
  setting: string;
  reason: string;
}

/** Longer values are cut: the fault is to be read, not the value. */
const longestValue = 80;

const mask = "[secret]";
const secretName = /password|passphrase|secret|token|conninfo/i;

/** What schema and value have to say about one setting. */
export function faultsOf(name: string, schema: z.ZodType, written: string | undefined, error: z.ZodError): Fault[] {
  const faults = error.issues.map((issue): Fault => {
    const setting = issue.path.reduce<string>(
      (path, step) => (typeof step === "number" ? `${path}[${step}]` : `${path}.${String(step)}`),
      name,
    );
    // Only our own rules say something better than what is expected: zod's own texts do not show the value.
    if (issue.code === "custom" && issue.message !== "Invalid input") return { setting, reason: issue.message };
    if (issue.code === "invalid_format") return { setting, reason: issue.message };
    const expected = `expected ${textOf(schema).type}`;
    return {
      setting,
      reason: written === undefined ? `is missing; ${expected}` : `${expected}, got ${shown(setting, written)}`,
    };
  });
  return faults.filter(
    (fault, index) =>
      faults.findIndex((other) => other.setting === fault.setting && other.reason === fault.reason) === index,
  );
}

/** A value as a message may show it: quoted, short, and never one that a secret's name stands over. */
function shown(setting: string, written: string): string {
  if (secretName.test(setting)) return mask;
  const value = hideNamedSecrets(redact(written));
  return `'${value.length > longestValue ? `${value.slice(0, longestValue)}…` : value}'`;
}

/** Inside an object, what follows a key that names a secret. */
function hideNamedSecrets(json: string): string {
  return json.replaceAll(
    /("[^"]*(?:password|passphrase|secret|token|conninfo)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"/gi,
    `$1"${mask}"`,
  );
}
