import type { LintLevel } from "./finding.ts";

/**
 * Scope of a rule. `rows`: tables with rows, where a scan or a rewrite under a lock takes time. `clients`: everything
 * that an application may already use. `anywhere`: every file.
 */
export type RuleScope = "rows" | "clients" | "anywhere";

interface Rule {
  level: LintLevel;
  scope: RuleScope;
}

const rows: Rule = { level: "error", scope: "rows" };
const clients: Rule = { level: "error", scope: "clients" };

/** Rules that differ from the default: a warning with the scope `anywhere`. */
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
  // Expected in an expand step. Readers of the column must accept nulls.
  "ban-drop-not-null": { level: "warning", scope: "clients" },
  "ban-alter-domain-with-add-constraint": { level: "error", scope: "anywhere" },
  "ban-concurrent-index-creation-in-transaction": { level: "error", scope: "anywhere" },
  "ban-drop-database": { level: "error", scope: "anywhere" },
  "ban-uncommitted-transaction": { level: "error", scope: "anywhere" },
  "transaction-nesting": { level: "error", scope: "anywhere" },
  // A rule of the kit: a statement that could not be judged must not pass as harmless.
  "not-judged": clients,
};

/** Returns level and scope of a rule. A name that is not listed here belongs to a newer squawk. */
export function ruleOf(name: string): Rule {
  return rules[name] ?? { level: "warning", scope: "anywhere" };
}

/** squawk's rules that are turned off, each with the reason. */
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
