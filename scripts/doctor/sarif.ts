import type { FindingLevel } from "../core/finding.ts";
import { checks } from "./all-checks.ts";
import type { Sifted } from "./baseline.ts";
import type { DoctorFinding } from "./diagnose.ts";

const levels: Readonly<Record<FindingLevel, string>> = { error: "error", warning: "warning", info: "note" };

/**
 * Formats a diagnosis as SARIF 2.1.0, for code scanning. A check without an answer is a result of kind `open`; ignored
 * findings are suppressed results with their reason.
 *
 * @param version version of the kit
 */
export function sarif({ checks: outcomes, findings, ignored }: Sifted, version: string): object {
  const rules = checks.map(({ name, title }) => ({ id: name, shortDescription: { text: title } }));
  const open = outcomes.flatMap(({ check, database, unknown }) =>
    unknown.map((reason) => ({
      ruleId: check,
      kind: "open",
      level: "none",
      message: { text: `Not known${database === null ? "" : ` in database ${database}`}: ${reason}` },
    })),
  );
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "pgroundwork doctor", version, rules } },
        results: [
          ...findings.map(result),
          ...ignored.map((finding) => ({
            ...result(finding),
            suppressions: [{ kind: "external", justification: finding.reason }],
          })),
          ...open,
        ],
      },
    ],
  };
}

function result({ code, level, detail, hint, key, objects }: DoctorFinding) {
  return {
    ruleId: code,
    kind: "fail",
    level: levels[level],
    message: { text: hint === null ? detail : `${detail} ${hint}` },
    locations: [{ logicalLocations: objects.map((fullyQualifiedName) => ({ fullyQualifiedName })) }],
    partialFingerprints: { "pgroundworkKey/v1": key },
  };
}
