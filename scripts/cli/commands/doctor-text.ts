import type { Sifted } from "../../doctor/baseline.ts";
import type { DoctorFinding } from "../../doctor/diagnose.ts";
import { style } from "../output.ts";

const colors = { error: "red", warning: "yellow", info: "blue" } as const;
const severities = ["error", "warning", "info"] as const;

/** Formats a diagnosis for people: the worst findings first, then what could not be checked. */
export function describeDiagnosis({ checks, findings, ignored, outdated }: Sifted, label: string): string {
  const sorted = severities.flatMap((severity) => findings.filter(({ level }) => level === severity));
  const unknown = checks.flatMap(({ check, database, unknown: reasons }) =>
    reasons.map((reason) => `${style("yellow", "unknown")} ${check}${within(database)}: ${reason}`),
  );
  const clear = checks.filter(({ state }) => state === "clear").length;
  const counts = [
    ...severities.map((severity) => `${findings.filter(({ level }) => level === severity).length} ${severity}`),
    `${unknown.length} unknown`,
    `${ignored.length} ignored`,
  ];
  return [
    ...sorted.map(describeFinding),
    ...(unknown.length === 0 ? [] : [unknown.join("\n")]),
    ...outdated.map(({ key }) => `The ignored problem ${key} does not exist any more: remove it from the baseline.`),
    `${label}: ${checks.length} checks, ${clear} without a problem; ${counts.join(", ")}`,
  ].join("\n\n");
}

function describeFinding({ code, level, database, detail, hint, fix, key }: DoctorFinding): string {
  const lines = [`${style(colors[level], level)} ${code}${within(database)}`, detail];
  if (hint !== null) lines.push(hint);
  if (fix !== null) {
    const where = fix.database === undefined ? "" : ` in database ${fix.database}`;
    lines.push(`To fix it, run${where}. ${fix.effect}`, ...fix.statements.map((statement) => `  ${statement};`));
    if (fix.revert.length > 0) lines.push("To undo that:", ...fix.revert.map((statement) => `  ${statement};`));
  }
  lines.push(style("dim", `key: ${key}`));
  return lines.map((line, index) => (index === 0 ? line : `  ${line}`)).join("\n");
}

function within(database: string | null): string {
  return database === null ? "" : ` in database ${database}`;
}
