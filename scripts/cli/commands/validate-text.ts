import type { IntegrityFinding, Sample } from "../../validate/subject.ts";
import type { SubjectOutcome, Validation } from "../../validate/validate.ts";
import { style } from "../output.ts";

const colors = { error: "red", warning: "yellow", info: "blue" } as const;
const stateColors = { ok: "green", found: "red", unknown: "yellow", "not available": "dim" } as const;
const severities = ["error", "warning", "info"] as const;

/** Formats a validation for people: what was found, then one line for each subject. */
export function describeValidation(label: string, { subjects, findings, tables }: Validation): string {
  const sorted = severities.flatMap((severity) => findings.filter(({ level }) => level === severity));
  const rows = tables.reduce((sum, table) => sum + table.rows, 0).toLocaleString("en-US");
  return [
    ...sorted.map(describeFinding),
    [`${label}: ${rows} rows in ${tables.length} tables`, ...subjects.map(describeSubject)].join("\n"),
  ].join("\n\n");
}

function describeSubject({ name, title, state, examined, unknown, note }: SubjectOutcome): string {
  const head = `  ${style(stateColors[state], state.padEnd(13))} ${name}`;
  if (state === "not available") return `${head}: ${note}`;
  const text = `${head}: ${examined.toLocaleString("en-US")} ${title}${note === null ? "" : `; ${note}`}`;
  return [text, ...unknown.map((reason) => `    ${style("yellow", "unknown")} ${reason}`)].join("\n");
}

function describeFinding({ code, level, detail, samples, count, hint }: IntegrityFinding): string {
  const lines = [`${style(colors[level], level)} ${code}`, ...detail.split("\n")];
  lines.push(...samples.map((sample) => `  ${describeSample(sample)}`));
  if (samples.length > 0 && (count === null || count > samples.length)) lines.push("  …");
  if (hint !== null) lines.push(hint);
  return lines.map((line, index) => (index === 0 ? line : `  ${line}`)).join("\n");
}

function describeSample(sample: Sample): string {
  return Object.entries(sample)
    .map(([name, value]) => `${name}: ${value === null ? "null" : value}`)
    .join(", ");
}
