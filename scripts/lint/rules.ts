import type { FindingLevel } from "./finding.ts";

/**
 * Where a rule has something to say. `rows`: on tables that have rows, where a scan or a rewrite under a lock takes its time. `clients`: on whatever an
 * application may use already. `anywhere`: in every file.
 */
export type RuleScope = "rows" | "clients" | "anywhere";

interface Rule {
  level: FindingLevel;
  scope: RuleScope;
}

const rows: Rule = { level: "error", scope: "rows" };
const clients: Rule = { level: "error", scope: "clients" };

/** Rules that are judged otherwise than as a warning anywhere. */
const rules: Readonly<Record<string, Rule>> = {
  "adding-field-with-default": rows,
  "adding-foreign-key-constraint": rows,
  "adding-not-nullable-field": rows,
  "adding-serial-primary-key-field": rows,
  "constraint-missing-not-valid": rows,
  "disallowed-unique-constraint": rows,
  "require-concurrent-index-creation": rows,
  "require-concurrent-index-deletion": rows,
  "require-concurrent-partition-detach": rows,
  "require-concurrent-reindex": rows,
  "prefer-repack": rows,
  "adding-required-field": clients,
  "ban-drop-column": clients,
  "ban-drop-table": clients,
  "ban-truncate-cascade": clients,
  "changing-column-type": clients,
  "renaming-column": clients,
  "renaming-table": clients,
  // Expected of an expand step; what reads the column has to bear nulls.
  "ban-drop-not-null": { level: "warning", scope: "clients" },
  "ban-alter-domain-with-add-constraint": { level: "error", scope: "anywhere" },
  "ban-concurrent-index-creation-in-transaction": { level: "error", scope: "anywhere" },
  "ban-drop-database": { level: "error", scope: "anywhere" },
  "ban-uncommitted-transaction": { level: "error", scope: "anywhere" },
  "transaction-nesting": { level: "error", scope: "anywhere" },
  // The kit's own: what could not be judged is not taken for harmless.
  "not-judged": clients,
};

/** How a rule is judged. One that is not known here is of a newer squawk. */
export function ruleOf(name: string): Rule {
  return rules[name] ?? { level: "warning", scope: "anywhere" };
}

/** squawk's rules that are not asked, each with the reason. */
export const rulesLeftOut: Readonly<Record<string, string>> = {
  "require-lock-timeout": "applying sets a short lock timeout of its own",
  "require-statement-timeout": "applying takes one (--statement-timeout); a migration of a large table may run long",
  "prefer-robust-stmts":
    "IF NOT EXISTS hides half a state; a file is one transaction, or one statement that is finished or taken away",
  "prefer-bigint-over-int": "a quantity is no key; of keys the rule prefer-identity speaks",
  "prefer-bigint-over-smallint": "a small number is chosen for what it counts",
  "prefer-text-field": "a longer varchar is no rewrite since PostgreSQL 9.2",
  "require-enum-value-ordering": "the end is where a new value mostly belongs",
};
