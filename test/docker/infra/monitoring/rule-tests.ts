import { parse, stringify } from "yaml";

interface RuleFile {
  groups: { name: string; rules: { alert?: string }[] }[];
}

interface RuleTestFile {
  rule_files: string[];
  evaluation_interval: string;
  tests: { name: string; promql_expr_test: { expr: string }[] }[];
}

/** Files for `promtool test rules`: `tests` are its arguments, and `files` are in one folder. */
export interface RuleTests {
  tests: string[];
  files: Record<string, string>;
}

/**
 * Makes a file of each test, with only the alerts that its expressions select. promtool evaluates every rule at every
 * time, so a test of one alert would cost as much as one of all. A test that selects all alerts gets all of them.
 *
 * @param name prefix of the files
 * @param text tests, as promtool reads them
 * @param rules texts of the rule files, by name
 */
export function ruleTests(name: string, text: string, rules: Readonly<Record<string, string>>): RuleTests {
  // Otherwise 0x400, which are 401 values, would be a number.
  const { tests, rule_files: ruleFiles, ...settings } = parse(text, { schema: "failsafe" }) as RuleTestFile;
  const made: RuleTests = { tests: [], files: {} };
  for (const [index, test] of tests.entries()) {
    const selects = selectorOf(test.promql_expr_test.map(({ expr }) => expr));
    const own = ruleFiles.map((file) => `${name}-${index}-${file}`);
    for (const [at, file] of ruleFiles.entries()) made.files[own[at] ?? ""] = selected(rules[file] ?? "", selects);
    const file = `${name}-${index}.yml`;
    made.files[file] = stringify({ ...settings, rule_files: own, tests: [test] }, { schema: "failsafe", lineWidth: 0 });
    made.tests.push(file);
  }
  return made;
}

/** Returns whether an expression of a test can return an alert. Each has one matcher of names, or selects all. */
function selectorOf(expressions: readonly string[]): (alert: string) => boolean {
  const patterns = expressions.map((expression) => {
    const [, operator, names] = /\balertname(=~?)"([^"]*)"/.exec(expression) ?? [];
    if (names === undefined) return /^/;
    return operator === "=" ? new RegExp(`^${names}$`) : new RegExp(`^(?:${names})$`);
  });
  return (alert) => patterns.some((pattern) => pattern.test(alert));
}

/** Returns a rules file without the alerts that are not selected. Recording rules stay: alerts use their results. */
function selected(text: string, selects: (alert: string) => boolean): string {
  const { groups } = parse(text) as RuleFile;
  const kept = groups.map((group) => ({
    ...group,
    rules: group.rules.filter(({ alert }) => alert === undefined || selects(alert)),
  }));
  return stringify({ groups: kept.filter(({ rules }) => rules.length > 0) }, { lineWidth: 0 });
}
