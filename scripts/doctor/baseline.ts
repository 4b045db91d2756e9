import { readFile } from "node:fs/promises";
import { z } from "zod";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import type { Diagnosis, DoctorFinding } from "./diagnose.ts";

/** A finding to leave out, with the reason. */
export interface Ignored {
  key: string;
  reason: string;
}

const schema = z.strictObject({
  ignore: z.array(z.strictObject({ key: z.string().min(1), reason: z.string().trim().min(1, "a reason is required") })),
});

/**
 * Reads a baseline: the findings that are accepted, so that CI fails only for new ones.
 *
 * @throws OperationError (wrong usage) if it cannot be read, or is no baseline
 */
export async function readBaseline(path: string): Promise<Ignored[]> {
  const usage = (what: string, cause?: unknown) =>
    new OperationError(`Cannot read the baseline "${path}": ${what}.`, {
      hint: 'Write it with --write-baseline, or by hand: { "ignore": [{ "key": "…", "reason": "…" }] }',
      exitCode: exitCode.usage,
      cause,
    });
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw usage(cause.code === "ENOENT" ? "the file does not exist" : (cause.code ?? cause.message), cause);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw usage("it is not JSON", cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data.ignore;
  throw usage(parsed.error.issues.map(({ path: at, message }) => `${at.join(".") || "file"}: ${message}`).join("; "));
}

/** Writes a baseline of all findings. Entries that it already has keep their reasons. */
export function writeBaseline(
  path: string,
  findings: readonly DoctorFinding[],
  existing: readonly Ignored[],
  now: Date,
): void {
  const reasons = new Map(existing.map(({ key, reason }) => [key, reason]));
  const standard = `found when the baseline was written, ${now.toISOString().slice(0, 10)}`;
  const keys = [...new Set(findings.map(({ key }) => key))].sort();
  const ignore = keys.map((key): Ignored => ({ key, reason: reasons.get(key) ?? standard }));
  // It is committed, so it is as readable as any source file.
  writeFileAtomically(path, `${JSON.stringify({ ignore }, null, 2)}\n`, { mode: 0o644 });
}

/** A diagnosis without the ignored findings. */
export interface Sifted extends Diagnosis {
  ignored: (DoctorFinding & { reason: string })[];
  /** Entries whose problem does not exist any more. A check that is unknown says nothing about its entries. */
  outdated: Ignored[];
}

/** Separates the ignored findings from the others. */
export function sift(diagnosis: Diagnosis, list: readonly Ignored[]): Sifted {
  const reasons = new Map(list.map(({ key, reason }) => [key, reason]));
  const findings = diagnosis.findings.filter(({ key }) => !reasons.has(key));
  const ignored = diagnosis.findings.flatMap((finding) => {
    const reason = reasons.get(finding.key);
    return reason === undefined ? [] : [{ ...finding, reason }];
  });
  const found = new Set(diagnosis.findings.map(({ key }) => key));
  const answered = diagnosis.checks
    .filter(({ unknown }) => unknown.length === 0)
    .map(({ check, database }) => (database === null ? `${check}/` : `${check}/${database}/`));
  const outdated = list.filter(({ key }) => !found.has(key) && answered.some((prefix) => key.startsWith(prefix)));
  return { checks: diagnosis.checks, findings, ignored, outdated };
}
